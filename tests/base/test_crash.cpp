// Processes that crash in every way: what they say, by which signal they end, and that no core is left.
#include "base/crash.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "base/reading_note.hpp"
#include "texts.hpp"

using namespace headrace;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

struct End {
  int signal = 0;
  bool core = false;
  std::string said;
};

End of(const std::function<void()>& what) {
  std::array<int, 2> said{};
  BOOST_REQUIRE(pipe(said.data()) == 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(said[1], STDERR_FILENO);
    close(said[0]), close(said[1]);
    rlimit core{};  // as far as it may
    getrlimit(RLIMIT_CORE, &core);
    core.rlim_cur = core.rlim_max;
    setrlimit(RLIMIT_CORE, &core);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::signal(signal, SIG_DFL);  // not Boost's
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
    tell_crashes();
    what();
    _exit(0);
  }
  close(said[1]);
  End end;
  std::array<char, 4096> some{};
  for (ssize_t got = 0; (got = read(said[0], some.data(), some.size())) > 0;)
    end.said.append(some.data(), static_cast<std::size_t>(got));
  close(said[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end.core = WIFSIGNALED(status) && WCOREDUMP(status);
  return end;
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

void write_nowhere() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

// As HDF5 does on types that hold themselves.
int fill_the_stack(int depth) {
  volatile char room[4096];
  room[depth % 4096] = 1;
  return depth < 0 ? 0 : fill_the_stack(depth + 1) + room[0];
}

/// What lies behind a mapping goes, as when somebody cuts a file short.
void read_beyond_the_end() {
  const int fd = memfd_create("short", 0);
  if (ftruncate(fd, 4096) != 0) return;
  const auto* memory = static_cast<const volatile char*>(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0));
  if (ftruncate(fd, 0) != 0) return;
  static_cast<void>(*memory);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(crash, *boost::unit_test::enable_if<!sanitized>())

BOOST_AUTO_TEST_CASE(file_and_dataset_are_named) {
  const auto end = of([] {
    const std::string file = "/data/a.h5", dataset = "jets/x";
    const auto note = ReadingNote::of(file, dataset);
    write_nowhere();
  });
  BOOST_TEST(end.signal == SIGSEGV);
  BOOST_TEST(!end.core);
  BOOST_TEST(lines(end.said) == 1u);
  BOOST_TEST(has(end.said, "crashed (SIGSEGV) while it read dataset 'jets/x' in /data/a.h5; the file is damaged"));
  BOOST_TEST(has(end.said, "h5dump -d '/jets/x' /data/a.h5"));
}

BOOST_AUTO_TEST_CASE(every_crash_is_told) {
  const std::string file = "/data/a.h5";
  const auto while_reading = [&](const std::function<void()>& what) {
    return of([&] {
      const auto note = ReadingNote::of_file(file);
      what();
    });
  };
  const auto bus = while_reading(read_beyond_the_end);
  BOOST_TEST(bus.signal == SIGBUS);
  BOOST_TEST(has(bus.said, "cut short"));
  const auto stack = while_reading([] { fill_the_stack(0); });
  BOOST_TEST(stack.signal == SIGSEGV);
  const auto aborted = while_reading([] { std::abort(); });
  BOOST_TEST(aborted.signal == SIGABRT);
  const auto divided = while_reading([] { raise(SIGFPE); });
  BOOST_TEST(divided.signal == SIGFPE);
  for (const auto& end : {bus, stack, aborted, divided}) {
    BOOST_TEST(has(end.said, "while it read /data/a.h5; the file is damaged"), end.said);
    BOOST_TEST(lines(end.said) == 1u);
    BOOST_TEST(!end.core);
  }
}

BOOST_AUTO_TEST_CASE(what_other_threads_read_is_theirs) {
  const auto end = of([] {
    const std::string mine = "mine.h5", theirs = "theirs.h5";
    const auto note = ReadingNote::of_file(mine);
    std::thread([&] {
      const auto inner = ReadingNote::of_file(theirs);
      write_nowhere();
    }).join();
  });
  BOOST_TEST(end.signal == SIGSEGV);
  BOOST_TEST(has(end.said, "theirs.h5"));
  BOOST_TEST(!has(end.said, "mine.h5"));
}

BOOST_AUTO_TEST_CASE(names_cannot_steer_a_terminal_or_begin_a_line) {
  const auto end = of([] {
    const std::string file = "a\n\x1b[2Jb.h5", dataset(5000, 'x');
    const auto note = ReadingNote::of(file, dataset);
    write_nowhere();
  });
  BOOST_TEST(lines(end.said) == 1u);
  BOOST_TEST(has(end.said, "a\\x0a\\x1b[2Jb.h5"));
}

BOOST_AUTO_TEST_CASE(without_a_file_it_is_our_own_fault) {
  const auto end = of(write_nowhere);
  BOOST_TEST(end.signal == SIGSEGV);
  BOOST_TEST(has(end.said, "please report it"));
}

BOOST_AUTO_TEST_CASE(a_signal_that_was_sent_is_no_crash) {
  const auto end = of([] {
    const std::string file = "a.h5";
    const auto note = ReadingNote::of_file(file);
    const auto target = getpid();
    if (fork() == 0) kill(target, SIGSEGV), _exit(0);
    for (;;) pause();
  });
  BOOST_TEST(end.signal == SIGSEGV);
  BOOST_TEST(has(end.said, "was ended by SIGSEGV, which process "));
  BOOST_TEST(!has(end.said, "damaged"));
}

BOOST_AUTO_TEST_SUITE_END()
