// Futexes, pidfds, bells and the poller.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "ipc/child.hpp"
#include "ipc/futex.hpp"
#include "ipc/memory.hpp"
#include "ipc/poller.hpp"
#include "ipc/process.hpp"

using namespace headrace;
using namespace std::chrono_literals;
using ipc::FutexResult;

BOOST_AUTO_TEST_SUITE(waiting)

BOOST_AUTO_TEST_CASE(a_futex_does_not_sleep_on_another_value_and_not_longer_than_asked) {
  std::atomic<std::uint32_t> word{1};
  BOOST_TEST((ipc::futex_wait(word, 0, 1h) == FutexResult::changed));
  BOOST_TEST((ipc::futex_wait(word, 1, 1ms) == FutexResult::timeout));
  BOOST_TEST((ipc::futex_wait(word, 1, -1ms) == FutexResult::timeout));
}

BOOST_AUTO_TEST_CASE(a_futex_wakes_across_processes) {
  const auto fd = ipc::make_memfd("test", 4096);
  const auto memory = ipc::Mapping::map(fd, 4096);
  auto& word = *reinterpret_cast<std::atomic<std::uint32_t>*>(memory.data());
  Child child([&] {
    while (word.load() == 0) ipc::futex_wait(word, 0, 1h);
    return 3;
  });
  word.store(1);
  for (siginfo_t info{}; info.si_pid == 0;) {  // until it has exited
    ipc::futex_wake(word);
    BOOST_REQUIRE_EQUAL(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOHANG | WNOWAIT), 0);
  }
  BOOST_TEST(child.wait() == 3);
}

BOOST_AUTO_TEST_CASE(a_signal_ends_a_futex_wait) {
  struct sigaction action {
  }, before{};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;  // what most programs set
  sigaction(SIGUSR1, &action, &before);
  std::atomic<std::uint32_t> word{0};
  std::atomic<bool> done{false};
  FutexResult result{};
  std::thread sleeper([&] {
    result = ipc::futex_wait(word, 0, 1h);
    done = true;
  });
  while (!done) pthread_kill(sleeper.native_handle(), SIGUSR1), std::this_thread::yield();
  sleeper.join();
  BOOST_TEST((result == FutexResult::interrupted));
  sigaction(SIGUSR1, &before, nullptr);
}

BOOST_AUTO_TEST_CASE(a_pidfd_tells_life_and_number) {
  Child child([] {
    pause();
    return 0;
  });
  const auto pidfd = ipc::open_pidfd(child.pid());
  BOOST_TEST(ipc::alive(pidfd));
  BOOST_TEST(ipc::pid_of_pidfd(pidfd).value() == child.pid());
  ipc::Poller poller;
  bool exited = false;
  poller.add(pidfd.get(), [&] { exited = true; });
  child.kill();
  while (!exited) poller.wait(1h);
  BOOST_TEST(!ipc::alive(pidfd));
  child.wait();
  BOOST_TEST(!ipc::pid_of_pidfd(pidfd).has_value());
  BOOST_CHECK_THROW(ipc::pid_of_pidfd(ipc::make_memfd("no pidfd", 1)), Error);
  BOOST_CHECK_THROW(ipc::open_pidfd(-1), Error);
}

BOOST_AUTO_TEST_CASE(a_bell_rings_and_drains_without_blocking) {
  const auto bell = ipc::Bell::make();
  const auto other = bell.duplicate();
  ipc::Poller poller;
  int rung = 0;
  poller.add(bell.fd(), [&] { ++rung; });
  BOOST_TEST(poller.wait(0ms) == 0);
  other.ring();
  other.ring();
  BOOST_TEST(poller.wait(1h) == 1);
  BOOST_TEST(poller.wait(1h) == 1);  // level-triggered
  bell.drain();
  bell.drain();
  BOOST_TEST(poller.wait(0ms) == 0);
  eventfd_write(bell.fd(), 0xfffffffffffffffe);  // full: a ring is lost, not blocked
  other.ring();
  BOOST_TEST(rung == 2);
}

BOOST_AUTO_TEST_CASE(a_bell_in_hostile_hands_is_heard_all_the_same) {
  // Both processes have the same open eventfd: its count and its flags are the peer's to change.
  const auto bell = ipc::Bell::make();
  const auto peer = bell.duplicate();
  ipc::Poller poller;
  int heard = 0;
  poller.add_edge(bell.fd(), [&] { ++heard; });
  const auto flags = fcntl(peer.fd(), F_GETFL);
  BOOST_REQUIRE_EQUAL(fcntl(peer.fd(), F_SETFL, flags & ~O_NONBLOCK), 0);
  for (int i = 1; i <= 3; ++i) {
    peer.ring();
    peer.drain();  // the edge is gone with it, and whoever read the count would wait for ever
    BOOST_TEST(poller.wait(0ms) == 0);
    peer.ring();
    BOOST_TEST(poller.wait(0ms) == 1);
    BOOST_TEST(heard == i);
    peer.drain();
  }
  for (int i = 4; i <= 6; ++i) {
    peer.ring();  // on top of a count that nobody takes
    BOOST_TEST(poller.wait(0ms) == 1);
    BOOST_TEST(heard == i);
    BOOST_TEST(poller.wait(0ms) == 0);  // and only once
  }
}

BOOST_AUTO_TEST_CASE(what_is_waited_for_may_change) {
  std::array<int, 2> ends{};
  BOOST_REQUIRE_EQUAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
  const ipc::Fd mine(ends[0]);
  ipc::Fd theirs(ends[1]);
  ipc::Poller poller;
  ipc::Events seen;
  poller.add(mine.get(), ipc::Interest{}, [&](ipc::Events events) { seen = events; });
  BOOST_REQUIRE_EQUAL(write(theirs.get(), "x", 1), 1);
  BOOST_TEST(poller.wait(0ms) == 0);
  poller.set(mine.get(), {.read = true});
  BOOST_TEST(poller.wait(0ms) == 1);
  BOOST_TEST((seen.readable && !seen.writable && !seen.hung_up));
  poller.set(mine.get(), {.write = true});
  BOOST_TEST(poller.wait(0ms) == 1);
  BOOST_TEST((!seen.readable && seen.writable && !seen.hung_up));
  poller.set(mine.get(), {});
  BOOST_TEST(poller.wait(0ms) == 0);
  theirs.close();
  BOOST_TEST(poller.wait(0ms) == 1);
  BOOST_TEST(seen.hung_up);
}

BOOST_AUTO_TEST_CASE(callbacks_may_remove_each_other_and_themselves) {
  ipc::Poller poller;
  std::vector<ipc::Bell> bells;
  for (int i = 0; i < 5; ++i) bells.push_back(ipc::Bell::make());
  int calls = 0;
  for (auto& bell : bells)
    poller.add(bell.fd(), [&] {
      ++calls;
      for (auto& each : bells) poller.remove(each.fd());  // its own too, while it runs
    });
  for (auto& bell : bells) bell.ring();
  BOOST_TEST(poller.wait(1h) == 1);
  BOOST_TEST(poller.wait(0ms) == 0);
  BOOST_TEST(calls == 1);
  BOOST_TEST(poller.size() == 0);
  BOOST_TEST(!poller.remove(bells[0].fd()));
}

BOOST_AUTO_TEST_CASE(an_event_of_a_closed_descriptor_does_not_reach_the_next_one_of_its_number) {
  ipc::Poller poller;
  auto first = ipc::Bell::make(), second = ipc::Bell::make();
  int of_second = 0, of_new = 0;
  ipc::Bell fresh;
  const int number = second.fd();
  const auto replace = [&](int own) {
    poller.remove(own == first.fd() ? number : first.fd());
    if (own == number) return;
    second = ipc::Bell();
    fresh = ipc::Bell::make();
    BOOST_TEST(fresh.fd() == number);
    poller.add(fresh.fd(), [&] { ++of_new; });
  };
  poller.add(first.fd(), [&] { replace(first.fd()); });
  poller.add(number, [&] { ++of_second, replace(number); });
  first.ring(), second.ring();
  poller.wait(1h);
  BOOST_TEST(of_second + of_new <= 1);
  BOOST_TEST(of_new == 0);
}

BOOST_AUTO_TEST_SUITE_END()
