#include "log/patient_sink.hpp"

#include <fcntl.h>
#include <pty.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "log/logger.hpp"

using namespace headrace;

namespace {

/// Two ends: what is written to [1] is read from [0]. A test that waits for ever is ended by its watchdog.
struct Ends : std::array<int, 2> {
  ~Ends() {
    for (const int fd : *this)
      if (fd >= 0) close(fd);
  }
  void close_end(int which) { close(std::exchange(at(static_cast<std::size_t>(which)), -1)); }
};

struct Pipe : Ends {
  Pipe() { BOOST_REQUIRE(pipe2(data(), O_CLOEXEC) == 0); }
};

std::shared_ptr<spdlog::logger> logger_for(int fd, std::size_t most_kept = 1u << 20) {
  return log::make_logger("headrace lcd",
                          std::make_shared<log::PatientSink>(fd, most_kept, std::chrono::milliseconds(0)));
}

/// Reads lines up to that one.
std::vector<std::string> lines_until(int fd, const std::string& last) {
  std::vector<std::string> lines(1);
  while (true) {
    char c = 0;
    if (read(fd, &c, 1) != 1) return lines;
    if (c == '\r') continue;
    if (c != '\n') {
      lines.back() += c;
    } else if (lines.back() == "headrace lcd: " + last) {
      return lines;
    } else {
      lines.emplace_back();
    }
  }
}

std::string number(int k) {
  return fmt::format("line {} {}", k, std::string(80, 'x'));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(patient_sink)

BOOST_AUTO_TEST_CASE(a_pipe_that_nobody_reads_stops_nobody) {
  Pipe pipe;
  const auto logger = logger_for(pipe[1], 100'000);
  constexpr int all = 5000;  // several times what the pipe and we hold
  for (int k = 0; k < all; ++k) logger->info(number(k));
  int expected = 0;
  std::uint64_t missing = 0;
  for (const auto& line : lines_until(pipe[0], number(all - 1))) {
    unsigned long long lost = 0;
    if (std::sscanf(line.c_str(), "headrace lcd: lines missing here: %llu", &lost) == 1) {
      missing += lost;
      expected += static_cast<int>(lost);
    } else {
      BOOST_TEST(line == "headrace lcd: " + number(expected));
      ++expected;
    }
  }
  BOOST_TEST(expected == all);
  BOOST_TEST(missing > 0u);
  BOOST_TEST((fcntl(pipe[1], F_GETFL) & O_NONBLOCK) == 0);  // others write there, too
}

BOOST_AUTO_TEST_CASE(what_was_kept_goes_out_by_itself_again_and_again) {
  Pipe pipe;
  const auto logger = logger_for(pipe[1]);
  for (int round = 0; round < 3; ++round) {
    for (int k = 0; k < 2000; ++k) logger->info(number(k));
    BOOST_TEST(lines_until(pipe[0], number(1999)).size() == 2000u);
  }
}

BOOST_AUTO_TEST_CASE(a_stopped_terminal_stops_nobody) {
  Ends terminal;
  BOOST_REQUIRE(openpty(&terminal[0], &terminal[1], nullptr, nullptr, nullptr) == 0);
  const auto logger = logger_for(terminal[1]);
  logger->info("before");
  BOOST_REQUIRE(tcflow(terminal[1], TCOOFF) == 0);  // Ctrl-S
  for (int k = 0; k < 1000; ++k) logger->info(number(k));
  BOOST_REQUIRE(tcflow(terminal[1], TCOON) == 0);
  BOOST_TEST(lines_until(terminal[0], number(999)).size() == 1001u);
}

BOOST_AUTO_TEST_CASE(a_socket_that_nobody_reads_stops_nobody) {
  Ends ends;
  BOOST_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const auto logger = logger_for(ends[1]);
  for (int k = 0; k < 5000; ++k) logger->info(number(k));
  BOOST_TEST(lines_until(ends[0], number(4999)).size() == 5000u);
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // as in the service
  ends.close_end(0);
  logger->info("nobody hears");
  std::signal(SIGPIPE, before);
}

BOOST_AUTO_TEST_CASE(readers_that_go_and_ends_without_readers_are_no_trouble) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // as in the service
  Pipe pipe;
  auto logger = logger_for(pipe[1]);
  for (int k = 0; k < 2000; ++k) logger->info(number(k));
  pipe.close_end(0);
  for (int k = 0; k < 10; ++k) logger->info(number(k));
  logger.reset();
  Pipe full;
  logger = logger_for(full[1]);
  for (int k = 0; k < 2000; ++k) logger->info(number(k));
  logger.reset();  // with lines that nobody will take
  std::signal(SIGPIPE, before);
}

BOOST_AUTO_TEST_CASE(in_files_lines_stand_between_those_of_others) {
  const auto path = fmt::format("/tmp/headrace-test-log-{}", getpid());
  std::FILE* file = std::fopen(path.c_str(), "w");
  BOOST_REQUIRE(file != nullptr);
  {
    const auto logger = logger_for(fileno(file));
    for (int k = 0; k < 3; ++k) {
      logger->info("ours");
      BOOST_TEST(write(fileno(file), "theirs\n", 7) == 7);
    }
  }
  std::fclose(file);
  std::ifstream in(path);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  unlink(path.c_str());
  std::string expected;
  for (int k = 0; k < 3; ++k) expected += "headrace lcd: ours\ntheirs\n";
  BOOST_TEST(text == expected);
}

BOOST_AUTO_TEST_SUITE_END()
