// What a stager makes of the ends of others: links are real sockets, lifelines real connections of this machine.
#include <sys/socket.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "ipc/socket_pair.hpp"
#include "service/host/stager_watch.hpp"

using namespace headrace;
using namespace headrace::service::host;
using namespace std::chrono_literals;
using ipc::Lifeline;

BOOST_AUTO_TEST_SUITE(stager_watch)

namespace {

/// Both ends of a lifeline.
std::pair<Lifeline, Lifeline> lifeline() {
  const ipc::Mooring mooring;
  std::istringstream words(mooring.address());
  std::string secret, port;
  words >> secret >> port;
  auto coming = std::async(std::launch::async, [&] { return mooring.accept(20s); });
  auto tied = ipc::tie(secret + " " + port + " 127.0.0.1", 20s);
  auto accepted = coming.get();
  BOOST_REQUIRE(tied);
  BOOST_REQUIRE(accepted);
  return {std::move(*tied), std::move(*accepted)};
}

std::pair<ipc::Connection, ipc::Connection> ends() {
  ipc_test::Pair pair;
  return {std::move(pair.client), std::move(pair.server)};
}

/// The leader of the first of three nodes, which has two stagers.
struct Leader {
  Seat seat{{{0, 2, "n0"}, {2, 1, "n1"}, {3, 1, "n2"}}, 0, 0};
  ipc::Poller poller;
  ipc::Connection other;            // stager 1, on this node
  std::unique_ptr<Lifeline> n1, n2;  // their ends
  std::vector<std::string> lost;
  std::vector<ipc::Connection> links;
  std::vector<job::Neighbour> neighbours;
  std::unique_ptr<StagerWatch> watch;

  Leader() {
    ipc_test::Pair pair;
    other = std::move(pair.client);
    links.resize(2);
    links[1] = std::move(pair.server);
    auto [mine1, theirs1] = lifeline();
    auto [mine2, theirs2] = lifeline();
    n1 = std::make_unique<Lifeline>(std::move(theirs1));
    n2 = std::make_unique<Lifeline>(std::move(theirs2));
    neighbours.push_back({"n1", std::move(mine1)});
    neighbours.push_back({"n2", std::move(mine2)});
    watch = std::make_unique<StagerWatch>(
        seat, poller, links, neighbours,
        [this](const std::string& what, std::uint32_t teller) { lost.push_back(std::to_string(teller) + " " + what); });
  }

  /// Hears of so many ends and words, however late they come.
  void hear(std::size_t events) {
    for (const auto end = Clock::now() + 60s; events > 0 && Clock::now() < end;)
      events -= std::min(events, poller.wait(100ms));
    BOOST_TEST(events == 0u);
  }
  /// Hears that; then the launcher has had its time, and this stager still lives.
  const std::vector<std::string>& after_all(std::size_t events) {
    hear(events);
    BOOST_TEST(lost.empty());  // not before
    watch->tick(Clock::now());
    BOOST_TEST(lost.empty());
    watch->tick(Clock::now() + 1h);
    return lost;
  }
};

Lifeline::Fate next_of(const Lifeline& line) {
  auto fate = line.fate();
  for (const auto end = Clock::now() + 10s; fate == Lifeline::Fate::fine && Clock::now() < end;) fate = line.fate();
  return fate;
}

}  // namespace

BOOST_AUTO_TEST_CASE(who_says_goodbye_may_go) {
  Leader leader;
  leader.other.send("store");  // whatever else stands before it
  leader.other.send("goodbye");
  leader.other.close();
  leader.n1->say(Lifeline::Word::goodbye);
  leader.n1.reset();
  leader.n2->say(Lifeline::Word::goodbye);
  leader.n2.reset();
  BOOST_TEST(leader.after_all(3).empty());
}

BOOST_AUTO_TEST_CASE(it_says_goodbye_itself) {
  Leader leader;
  leader.watch->part();
  leader.watch->part();
  BOOST_TEST(leader.other.receive(10s).message.text == "goodbye");
  for (const auto* line : {leader.n1.get(), leader.n2.get()})
    BOOST_TEST((next_of(*line) == Lifeline::Fate::goodbye && line->fate() == Lifeline::Fate::fine));
}

BOOST_AUTO_TEST_CASE(a_stager_that_ends_without_a_word_has_died_if_the_launcher_ends_nothing) {
  Leader leader;
  leader.other.send("store");
  leader.other.close();
  BOOST_REQUIRE_EQUAL(leader.after_all(1).size(), 1u);
  BOOST_TEST(leader.lost[0] == "0 stager 1 on n0 died");
  for (const auto* line : {leader.n1.get(), leader.n2.get()}) BOOST_TEST((next_of(*line) == Lifeline::Fate::alarm));
}

BOOST_AUTO_TEST_CASE(so_has_the_first_one_of_another_node_and_the_next_node_is_told) {
  Leader leader;
  leader.n1.reset();
  BOOST_REQUIRE_EQUAL(leader.after_all(1).size(), 1u);
  BOOST_TEST(leader.lost[0] == "0 the first stager on n1 has ended before its time (see what it said, if anything)");
  BOOST_TEST((next_of(*leader.n2) == Lifeline::Fate::alarm));
}

BOOST_AUTO_TEST_CASE(an_alarm_is_passed_on_once) {
  Leader leader;
  leader.n1->say(Lifeline::Word::alarm);
  leader.n1.reset();
  BOOST_REQUIRE_EQUAL(leader.after_all(2).size(), 1u);
  BOOST_TEST(leader.lost[0] == "0 a stager of another node has ended before its time (told by n1; see what the others say)");
  BOOST_TEST((next_of(*leader.n2) == Lifeline::Fate::alarm && leader.n2->fate() == Lifeline::Fate::fine));
}

BOOST_AUTO_TEST_CASE(last_words_are_heard_at_once_on_both_sides) {
  Leader leader;
  auto [to_leader, to_other] = ends();
  Seat seat{leader.seat.nodes, 0, 1};
  std::vector<ipc::Connection> links;
  links.push_back(std::move(to_leader));
  const std::vector<job::Neighbour> none;
  std::vector<std::string> heard;
  StagerWatch other(seat, leader.poller, links, none,
                    [&](const std::string& what, std::uint32_t teller) { heard.push_back(std::to_string(teller) + what); });
  // Of the leader, to another one of its node; and the way round.
  BOOST_TEST(leader.watch->last_words("no room"));
  const auto said = leader.other.receive(10s);
  to_other.send("store");
  to_other.send(said.message.text);
  to_other.close();
  leader.hear(1);
  BOOST_TEST((heard == std::vector<std::string>{"0no room"}));

  auto [from_other, at_leader] = ends();
  links[0] = std::move(from_other);
  BOOST_TEST(other.last_words("a bad disk"));
  leader.other.send(at_leader.receive(10s).message.text);
  leader.other.close();
  leader.hear(1);
  BOOST_TEST((leader.lost == std::vector<std::string>{"0 a bad disk"}));
}

BOOST_AUTO_TEST_CASE(a_reset_is_told_at_once_but_where_it_comes_of_our_alarm) {
  const linger at_once{1, 0};
  const auto reset = [&](std::unique_ptr<Lifeline>& line) {
    BOOST_REQUIRE(setsockopt(line->fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    line.reset();
  };
  Leader leader;
  reset(leader.n1);
  leader.hear(1);
  BOOST_REQUIRE_EQUAL(leader.lost.size(), 1u);
  BOOST_TEST(leader.lost[0].starts_with("0 the first stager on n1 is gone, though n1 answers n0"));

  Leader alarmed;
  alarmed.other.close();
  alarmed.hear(1);
  reset(alarmed.n1);
  BOOST_REQUIRE_EQUAL(alarmed.after_all(1).size(), 1u);
  BOOST_TEST(alarmed.lost[0].ends_with("died"));
}

BOOST_AUTO_TEST_CASE(links_that_were_handed_over_are_no_longer_looked_at) {
  Leader leader;
  const auto links = leader.watch->release_links();
  leader.other.close();
  BOOST_TEST(leader.after_all(0).empty());
  leader.watch->part();
}

BOOST_AUTO_TEST_SUITE_END()
