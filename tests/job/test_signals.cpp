// Each case is a process of its own: signals are a matter of whole processes.
#include "job/signals.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <utility>

#include "base/process_start.hpp"
#include "ipc/child.hpp"

using namespace headrace;
using namespace headrace::job;

namespace {

/// What the process says, one character at a time; 0 once it has ended.
struct Said {
  std::array<int, 2> ends{};
  Said() { BOOST_REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0); }
  ~Said() { close(ends[0]), close(ends[1]); }
  void say(char what) const {
    if (write(ends[1], &what, 1) != 1) _exit(90);
  }
  char next() const {
    char what = 0;
    return read(ends[0], &what, 1) == 1 ? what : '\0';
  }
};

/// A stager as far as signals are concerned: says 's' when it waits, 'r' for a report, and the signal's first letter
/// after SIG in its farewell.
int stand(const Said& said) {
  start_process();
  Signals::block();
  Signals signals;
  signals.on_report([&] { said.say('r'); });
  signals.on_end([&](const std::string& what) { said.say(what.at(3)); });
  said.say('s');
  for (;;) pause();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(signals)

BOOST_AUTO_TEST_CASE(what_ends_a_stager_is_told_first) {
  for (const auto& [signal, letter] : {std::pair{SIGTERM, 'T'}, {SIGINT, 'I'}, {SIGHUP, 'H'}, {SIGXCPU, 'X'}}) {
    const Said said;
    Child stager([&] { return stand(said); });
    BOOST_TEST(said.next() == 's');
    stager.kill(signal);
    BOOST_TEST(said.next() == letter);
    BOOST_TEST(stager.wait() == 128 + signal);
  }
}

BOOST_AUTO_TEST_CASE(warnings_of_batch_systems_do_not_make_it_deaf) {
  const Said said;
  Child stager([&] { return stand(said); });
  BOOST_TEST(said.next() == 's');
  for (const int harmless : {SIGUSR2, SIGPIPE, SIGXFSZ, SIGUSR2}) stager.kill(harmless);
  stager.kill(SIGUSR1);
  BOOST_TEST(said.next() == 'r');
  stager.kill(SIGUSR2);
  stager.kill(SIGUSR1);
  BOOST_TEST(said.next() == 'r');
  stager.kill(SIGTERM);
  BOOST_TEST(said.next() == 'T');
  BOOST_TEST(stager.wait() == 128 + SIGTERM);
}

BOOST_AUTO_TEST_CASE(a_hang_up_is_nothing_to_whoever_was_started_so) {
  const Said said;
  Child stager([&] {
    signal(SIGHUP, SIG_IGN);  // nohup
    return stand(said);
  });
  BOOST_TEST(said.next() == 's');
  stager.kill(SIGHUP);
  stager.kill(SIGUSR1);
  BOOST_TEST(said.next() == 'r');
  stager.kill(SIGTERM);
  BOOST_TEST(said.next() == 'T');
}

BOOST_AUTO_TEST_CASE(it_stops_watching_without_a_signal) {
  const Said said;
  Child stager([&] {
    Signals::block();
    for (int i = 0; i < 100; ++i) const Signals signals;
    return 42;
  });
  BOOST_TEST(stager.wait() == 42);
}

BOOST_AUTO_TEST_CASE(what_is_called_is_there_until_it_returns) {
  const Said said;
  Child stager([&] {
    Signals::block();
    Signals signals;
    std::atomic<bool> called = false;
    signals.on_stop([&](const std::string&) {
      called = true;
      usleep(50'000);  // so that whoever does not wait for it says the last word
      said.say('c');
      return true;
    });
    said.say('s');
    while (!called) usleep(100);
    signals.on_stop(nullptr);
    said.say('f');
    return 42;
  });
  BOOST_TEST(said.next() == 's');
  stager.kill(SIGTERM);
  BOOST_TEST(said.next() == 'c');
  BOOST_TEST(said.next() == 'f');
  BOOST_TEST(stager.wait() == 42);
}

BOOST_AUTO_TEST_CASE(a_farewell_that_hangs_does_not_keep_it) {
  const Said said;
  Child stager([&] {
    Signals::block();
    Signals signals;
    signals.on_end([](const std::string&) {
      for (;;) pause();
    });
    said.say('s');
    for (;;) pause();
    return 0;
  });
  BOOST_TEST(said.next() == 's');
  stager.kill(SIGTERM);
  BOOST_TEST(stager.wait() == 128 + SIGTERM);
}

BOOST_AUTO_TEST_SUITE_END()
