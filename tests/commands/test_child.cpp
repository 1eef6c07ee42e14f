// What `headrace run` does for its trainer: each case is a process of its own, which waits for a program.
#include "commands/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <string>

#include "base/process_start.hpp"
#include "ipc/child.hpp"

namespace {

using Started = headrace::commands::Child;

/// Where a program started by sh says something, a line at a time, on descriptor 1.
struct Said {
  std::array<int, 2> ends{};
  Said() { BOOST_REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0); }
  ~Said() { close(ends[0]), close(ends[1]); }
  std::string line() const {
    std::string text;
    for (char c = 0; read(ends[0], &c, 1) == 1 && c != '\n';) text += c;
    return text;
  }
};

/// As `headrace run -- sh -c SCRIPT`: its exit code; 50 more where it was asked to end.
int run(const Said& said, const std::string& script) {
  headrace::start_process();
  Started::block_signals();
  dup2(said.ends[1], STDOUT_FILENO);
  Started program({"sh", "-c", script}, {"PATH=/usr/bin:/bin"});
  const int code = program.wait();
  return code + (program.was_asked_to_end() ? 50 : 0);
}

/// The script waits for signals without end.
const std::string forever = "; echo there; while :; do sleep 1 & wait $!; done";

}  // namespace

BOOST_AUTO_TEST_SUITE(child)

BOOST_AUTO_TEST_CASE(its_exit_code_comes_back) {
  const Said said;
  BOOST_TEST(Child([&] { return run(said, "exit 7"); }).wait() == 7);
  BOOST_TEST(Child([&] { return run(said, "kill -KILL $$"); }).wait() == 128 + SIGKILL);
}

BOOST_AUTO_TEST_CASE(signals_are_handed_on) {
  for (const auto& [signal, asks] : {std::pair{SIGUSR1, 0}, {SIGUSR2, 0}, {SIGTERM, 50}, {SIGHUP, 50}, {SIGXCPU, 50}}) {
    const Said said;
    Child runner([&] { return run(said, std::string("trap 'exit 9' USR1 USR2 TERM HUP XCPU") + forever); });
    BOOST_TEST(said.line() == "there");
    runner.kill(signal);
    BOOST_TEST(runner.wait() == 9 + asks, "signal " << signal);
  }
}

BOOST_AUTO_TEST_CASE(a_hang_up_is_no_request_where_it_was_ignored_from_the_start) {
  const Said said;
  Child runner([&] {
    signal(SIGHUP, SIG_IGN);  // nohup
    return run(said, "trap 'exit 9' USR1" + forever);
  });
  BOOST_TEST(said.line() == "there");
  runner.kill(SIGHUP);
  runner.kill(SIGUSR1);
  BOOST_TEST(runner.wait() == 9);
}

BOOST_AUTO_TEST_CASE(a_pause_is_one_for_both) {
  const Said said;
  Child runner(
      [&] { return run(said, "trap 'echo paused' TSTP; trap 'echo back' CONT; trap 'exit 9' USR1" + forever); });
  BOOST_TEST(said.line() == "there");
  runner.kill(SIGTSTP);
  BOOST_TEST(said.line() == "paused");
  int status = 0;
  BOOST_TEST(waitpid(runner.pid(), &status, WUNTRACED) == runner.pid());
  BOOST_TEST(WIFSTOPPED(status));
  runner.kill(SIGCONT);
  BOOST_TEST(said.line() == "back");
  runner.kill(SIGUSR1);
  BOOST_TEST(runner.wait() == 9);
}

BOOST_AUTO_TEST_CASE(it_gets_nothing_of_ours) {
  const Said said;
  Child runner([&] {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 77;
    setrlimit(RLIMIT_NOFILE, &limit);
    signal(SIGPIPE, SIG_DFL);
    headrace::start_process();
    headrace::ignore_signal(SIGPIPE);
    return run(said, "grep -E 'Sig(Blk|Ign)' /proc/self/status; ulimit -n");
  });
  BOOST_TEST(said.line() == "SigBlk:\t0000000000000000");
  BOOST_TEST(said.line() == "SigIgn:\t0000000000000000");
  BOOST_TEST(said.line() == "77");
  BOOST_TEST(runner.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
