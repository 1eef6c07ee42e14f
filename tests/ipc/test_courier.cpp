// Couriers: who does not read holds up nobody, loses nothing, and gets no more than it can hold.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "ipc/courier.hpp"
#include "ipc/memory.hpp"

using namespace headrace;
using namespace std::chrono_literals;
using ipc::Connection;
using ipc::Courier;
using ipc::Receipt;
using Said = ipc::Courier::Said;

namespace {

std::array<Connection, 2> pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
    throw_errno("socketpair");
  return {Connection(ipc::Fd(ends[0])), Connection(ipc::Fd(ends[1]))};
}

/// A courier and its peer, which reads when the test says so.
struct Talk {
  ipc::Poller poller;
  std::vector<std::string> heard;
  bool closed = false;
  Connection peer;
  std::unique_ptr<Courier> courier;

  explicit Talk(Courier::Manner manner = {}) {
    auto [mine, theirs] = pair();
    peer = std::move(theirs);
    courier = std::make_unique<Courier>(poller, std::move(mine), manner, [this] {
      auto received = courier->receive();
      if (received.what == Receipt::closed) closed = true, courier.reset();
      if (received.what == Receipt::message) heard.push_back(received.message.text);
    });
  }
  /// Everything that can happen now does.
  void pass() {
    while (poller.wait(0ms) > 0) {
    }
  }
  std::string message(int number) const { return std::to_string(number) + std::string(10'000, 'x'); }
  /// Says numbered messages until one is kept. Returns how many were said.
  int fill() {
    int said = 0;
    while (courier->say(message(said++)) == Said::sent) {
    }
    return said;
  }
  /// What the peer reads now, all of it.
  std::vector<std::string> read() {
    std::vector<std::string> texts;
    for (;;) {
      auto received = peer.receive();
      if (received.what != Receipt::message) return texts;
      texts.push_back(std::move(received.message.text));
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(couriers)

BOOST_AUTO_TEST_CASE(what_is_not_read_is_kept_and_arrives_in_order) {
  Talk talk;
  int said = talk.fill();
  for (int more = 0; more < 20; ++more) BOOST_TEST((talk.courier->say(talk.message(said++)) == Said::kept));
  BOOST_TEST(talk.courier->kept() == 21u);
  talk.pass();
  BOOST_TEST(talk.courier->kept() == 21u);  // nothing moves by itself
  std::vector<std::string> all;
  while (static_cast<int>(all.size()) < said) {
    const auto some = talk.read();
    BOOST_TEST_REQUIRE(!some.empty());
    all.insert(all.end(), some.begin(), some.end());
    talk.pass();
  }
  for (int i = 0; i < said; ++i) BOOST_TEST((all[static_cast<std::size_t>(i)] == talk.message(i)));
  BOOST_TEST(talk.courier->kept() == 0u);
  BOOST_TEST((talk.courier->say("at once") == Said::sent));
}

BOOST_AUTO_TEST_CASE(who_does_not_take_its_answers_is_not_heard) {
  Talk talk;
  int said = talk.fill();
  talk.peer.send("a question");
  talk.pass();
  BOOST_TEST(talk.heard.empty());
  while (talk.courier->kept() > 0) talk.read(), talk.pass();
  talk.pass();
  BOOST_TEST(talk.heard == std::vector<std::string>{"a question"});
  BOOST_TEST(said > 1);
}

BOOST_AUTO_TEST_CASE(two_that_trust_each_other_never_wait_for_each_other) {
  ipc::Poller poller;
  auto [left, right] = pair();
  std::array<std::unique_ptr<Courier>, 2> ends;
  std::array<int, 2> heard{};
  constexpr Courier::Manner manner{.polite = false, .limit = 256u << 20};
  const auto listen = [&](std::size_t end) {
    return [&, end] { heard[end] += ends[end]->receive().what == Receipt::message; };
  };
  ends[0] = std::make_unique<Courier>(poller, std::move(left), manner, listen(0));
  ends[1] = std::make_unique<Courier>(poller, std::move(right), manner, listen(1));
  constexpr int many = 500;
  for (int i = 0; i < many; ++i)
    for (auto& end : ends) BOOST_TEST((end->say(std::string(10'000, 'x')) != Said::overfull));
  BOOST_TEST((ends[0]->kept() > 0 && ends[1]->kept() > 0));  // both are full, both ways
  while (heard[0] < many || heard[1] < many) BOOST_TEST_REQUIRE(poller.wait(10s) > 0);
}

BOOST_AUTO_TEST_CASE(the_queue_has_a_limit) {
  Talk talk({.limit = 50'000});
  talk.fill();
  int kept = 1;
  Said said{};
  while ((said = talk.courier->say(talk.message(0))) == Said::kept) ++kept;
  BOOST_TEST((said == Said::overfull));
  BOOST_TEST(kept == 4);
  BOOST_TEST((talk.courier->say("short") == Said::kept));
}

BOOST_AUTO_TEST_CASE(a_peer_that_goes_is_seen_after_what_it_said) {
  Talk talk;
  talk.fill();
  talk.peer.send("goodbye");
  talk.peer.close();
  talk.pass();
  BOOST_TEST(talk.closed);
  BOOST_TEST(talk.heard == std::vector<std::string>{"goodbye"});
}

BOOST_AUTO_TEST_CASE(a_pause_does_not_hide_the_end) {
  Talk talk;
  talk.courier->pause();
  talk.peer.send("one");
  talk.pass();
  BOOST_TEST(talk.heard.empty());
  talk.courier->resume();
  talk.pass();
  BOOST_TEST(talk.heard.size() == 1u);
  talk.courier->pause();
  talk.peer.close();
  talk.pass();
  BOOST_TEST(talk.closed);
}

BOOST_AUTO_TEST_CASE(nothing_is_said_to_who_is_gone) {
  Talk talk;
  talk.peer.close();
  BOOST_TEST((talk.courier->say("hello") == Said::closed));
  BOOST_TEST((talk.courier->say("hello") == Said::closed));
  BOOST_TEST(talk.courier->kept() == 0u);
}

BOOST_AUTO_TEST_CASE(an_allowance_is_spent_and_renewed) {
  Talk talk({.allowance = 3});
  for (int i = 0; i < 5; ++i) talk.peer.send(std::to_string(i));
  for (int i = 0; i < 5; ++i) {
    if (talk.poller.wait(0ms) > 0) talk.courier->spend(1);
  }
  BOOST_TEST(talk.heard.size() == 3u);
  talk.courier->renew();
  talk.pass();
  BOOST_TEST(talk.heard.size() == 5u);
}

BOOST_AUTO_TEST_CASE(descriptors_wait_with_their_messages) {
  Talk talk;
  int said = talk.fill();
  std::vector<ipc::Fd> fds;
  fds.push_back(ipc::make_memfd_of("test", "what is in it"));
  const int number = fds.front().get();
  BOOST_TEST((talk.courier->say("with a file", std::move(fds)) == Said::kept));
  BOOST_TEST(fcntl(number, F_GETFD) != -1);
  while (said > 0) {
    auto received = talk.peer.receive();
    if (received.what == Receipt::message) --said;
    talk.pass();
  }
  BOOST_TEST(fcntl(number, F_GETFD) == -1);  // sent, and closed
  auto last = talk.peer.receive();
  BOOST_TEST_REQUIRE(last.message.fds.size() == 1u);
  BOOST_TEST(ipc::text_of_memfd(last.message.fds.front()) == "what is in it");
}

BOOST_AUTO_TEST_CASE(the_last_words_are_waited_for) {
  Talk talk;
  talk.fill();
  BOOST_TEST(!talk.courier->flush_for(1ms));  // nobody reads
  talk.read();
  BOOST_TEST(talk.courier->flush_for(10s));
  BOOST_TEST(talk.courier->kept() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
