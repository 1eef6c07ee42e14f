#include "ipc/helper.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <string>

#include "base/error.hpp"
#include "base/process_start.hpp"
#include "child.hpp"

using namespace headrace;
using namespace headrace::ipc;

namespace {

constexpr std::uint64_t shared = 4096;
const auto for_ever = [] { return true; };

std::string ask(const Helper& helper, const std::string& request) {
  BOOST_REQUIRE(helper.send(request, for_ever));
  return helper.receive(for_ever).value_or("nothing");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(helper)

BOOST_AUTO_TEST_CASE(answers_texts_of_any_length) {
  const Helper one(HELPER_PROGRAM, {}, shared);
  for (const std::size_t length : {0, 1, 100, 65536, 5'000'000}) {
    const std::string text(length, 'x');
    BOOST_TEST((ask(one, text) == text + "!"));
  }
}

BOOST_AUTO_TEST_CASE(tells_how_it_ended) {
  Helper crashes(HELPER_PROGRAM, {}, shared);
  BOOST_TEST(ask(crashes, "crash") == "nothing");
  const int crash = crashes.end();
  BOOST_TEST((WIFSIGNALED(crash) && WTERMSIG(crash) == SIGSEGV && !WCOREDUMP(crash)));

  Helper leaves(HELPER_PROGRAM, {}, shared);
  BOOST_TEST(ask(leaves, "leave") == "nothing");
  const int left = leaves.end();
  BOOST_TEST((WIFEXITED(left) && WEXITSTATUS(left) == 7));
}

BOOST_AUTO_TEST_CASE(is_given_up_when_the_caller_says_so) {
  Helper spins(HELPER_PROGRAM, {}, shared);
  BOOST_REQUIRE(spins.send("spin", for_ever));
  BOOST_TEST(!spins.receive([&] { return spins.cpu_time() < std::chrono::milliseconds(20); }));
  const int status = spins.end();
  BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));

  Helper sleeps(HELPER_PROGRAM, {}, shared);
  BOOST_REQUIRE(sleeps.send("sleep", for_ever));
  int asked = 0;
  BOOST_TEST(!sleeps.receive([&] { return ++asked < 2; }));
}

BOOST_AUTO_TEST_CASE(is_given_up_where_it_takes_nothing) {
  Helper stopped(HELPER_PROGRAM, {}, shared);
  BOOST_REQUIRE(kill(stopped.pid(), SIGSTOP) == 0);
  const std::string more_than_a_socket_holds(5'000'000, 'x');
  int asked = 0;
  BOOST_TEST(!stopped.send(more_than_a_socket_holds, [&] { return ++asked < 2; }));
  BOOST_TEST(asked == 2);
  stopped.end();
}

BOOST_AUTO_TEST_CASE(shares_memory_that_outlives_it) {
  Helper notes(HELPER_PROGRAM, {}, shared);
  BOOST_TEST(ask(notes, "note") == "note!");
  BOOST_TEST(ask(notes, "crash") == "nothing");
  notes.end();
  BOOST_TEST(std::string(reinterpret_cast<const char*>(notes.shared())) == "noted");
}

BOOST_AUTO_TEST_CASE(has_nothing_of_ours) {
  const int null = open("/dev/null", O_RDONLY);
  const int inherited = fcntl(null, F_DUPFD, 40);  // not to be closed by exec
  close(null);
  sigset_t terminate, before;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  sigprocmask(SIG_BLOCK, &terminate, &before);
  ignore_signal(SIGPIPE);
  const Helper one(HELPER_PROGRAM, {}, shared);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  BOOST_TEST(ask(one, "descriptors") == "0 1 2 ");
  close(inherited);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  BOOST_TEST(ask(one, "settings") == "core 0 memory 256 death 9 term blocked 0 pipe ignored 0 group 1");
  BOOST_TEST(ask(one, "bomb") == "refused");
#endif
}

#if !defined(__SANITIZE_THREAD__)  // whose own words come by the same way
BOOST_AUTO_TEST_CASE(prints_nothing_here) {
  int said[2];
  BOOST_REQUIRE(pipe(said) == 0);
  Child quiet([&] {
    dup2(said[1], STDOUT_FILENO), dup2(said[1], STDERR_FILENO);
    close(said[1]);
    const Helper one(HELPER_PROGRAM, {}, shared);
    if (!one.send("print", for_ever)) return 1;
    return one.receive(for_ever) == "print!" ? 0 : 1;
  });
  close(said[1]);
  char some[100];
  BOOST_TEST(read(said[0], some, sizeof some) == 0);
  close(said[0]);
  BOOST_TEST(quiet.wait() == 0);
}
#endif

BOOST_AUTO_TEST_CASE(ends_with_who_started_it) {
  int alive[2];  // stays open as long as anybody has the other end
  BOOST_REQUIRE(pipe(alive) == 0);
  Child starts([&] {
    close(alive[0]);
    const Helper one(HELPER_PROGRAM, {}, shared);
    if (!one.send("spin", for_ever)) return 1;
    const auto pid = std::to_string(one.pid());
    if (write(alive[1], pid.data(), pid.size()) < 0) return 1;
    _exit(0);  // no destructor ends it
  });
  close(alive[1]);
  char pid[20] = {};
  BOOST_REQUIRE(read(alive[0], pid, sizeof pid - 1) > 0);
  BOOST_TEST(starts.wait() == 0);
  while (kill(std::atoi(pid), 0) == 0) usleep(1000);  // ctest's limit is the watchdog
  close(alive[0]);
}

BOOST_AUTO_TEST_CASE(a_program_that_is_not_there_is_an_error) {
  BOOST_CHECK_EXCEPTION(Helper("/no/such/program", {}, shared), Error, [](const Error& error) {
    return std::string(error.what()).find("/no/such/program: No such file") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(does_nothing_for_anybody_else) {
  Child alone([] {
    const int memory = memfd_create("nobody's", 0), nothing = open("/dev/null", O_RDONLY);
    if (ftruncate(memory, shared) != 0) return 51;
    dup2(memory, 3), dup2(nothing, STDIN_FILENO);
    execl(HELPER_PROGRAM, HELPER_PROGRAM, "1", nullptr);
    return 50;
  });
  BOOST_TEST(alone.wait() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
