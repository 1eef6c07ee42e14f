// The head of the service with scripted leaders: what it answers, and when it ends.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "service/blueprint/world.hpp"
#include "service/host/coordinator.hpp"
#include "texts.hpp"

using namespace service_test;
using namespace headrace::service::books;
using namespace headrace::service::host;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(coordinator)

namespace {

/// Stager 0 of two nodes, of which the second has two stagers.
struct Head {
  Config config;
  Blueprint drawn;
  std::vector<job::Node> nodes{{0, 1, "n0"}, {1, 2, "n1"}};
  EventLog events;
  std::vector<std::pair<std::uint32_t, FromHead>> said;
  const Windowing* windowing = nullptr;
  std::optional<Coordinator> coordinator;

  explicit Head(std::uint64_t epochs = 0, plan::Last last = plan::Last::drop)
      : drawn(blueprint(40, {stream("train", "", 5, plan::Shuffle::global, last, epochs)}, {1, 1, 1})) {
    begin(drawn);
  }
  void begin(const Blueprint& here) {
    std::uint64_t all = 0;
    for (std::uint64_t sample = 0; sample < 40; ++sample) all += sample_hash(sample);
    coordinator.emplace(config, here, nodes, std::vector<std::vector<std::uint64_t>>{{all}}, windowing, events,
                        [this](std::uint32_t node, FromHead message) { said.emplace_back(node, std::move(message)); });
  }
  template <class Message>
  std::vector<std::pair<std::uint32_t, Message>> take() {
    std::vector<std::pair<std::uint32_t, Message>> found;
    for (auto& [node, message] : std::exchange(said, {}))
      if (auto* one = std::get_if<Message>(&message)) found.emplace_back(node, std::move(*one));
    return found;
  }
  Grant claim(std::uint32_t rank, std::uint32_t world, std::uint32_t node = 0) {
    coordinator->hear(ClaimRank{7 + rank, node, {0, rank, world, "process " + std::to_string(rank)}});
    const auto granted = take<Granted>();
    BOOST_TEST_REQUIRE(granted.size() == 1u);
    BOOST_TEST(granted[0].first == node);
    BOOST_TEST(granted[0].second.id == 7 + rank);
    return granted[0].second.grant;
  }
  void drain() {
    for (std::uint32_t stager = 0; stager < 3; ++stager) {
      BOOST_TEST(take<Exit>().empty());
      coordinator->hear(Ending{stager});
      coordinator->hear(Drained{stager});
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(claims_are_answered_to_the_node_they_came_from) {
  Head head;
  head.claim(1, 2, 1);
  head.coordinator->hear(ClaimRank{3, 0, {0, 1, 2, "process 9"}});
  const auto refused = head.take<ClaimRefused>();
  BOOST_TEST_REQUIRE(refused.size() == 1u);
  BOOST_TEST((refused[0].first == 0 && refused[0].second.id == 3 && refused[0].second.taken));
  BOOST_TEST(has(refused[0].second.text, "rank 1 of 2 is taken by process 1"));
  head.coordinator->hear(ClaimRank{4, 0, {0, 5, 2, "process 9"}});
  BOOST_TEST(!head.take<ClaimRefused>().at(0).second.taken);  // nobody's leaving would help
  BOOST_TEST(head.coordinator->figures().trainers == 1u);
}

BOOST_AUTO_TEST_CASE(nobody_comes_in_once_it_ends) {
  Head head;
  head.coordinator->hear(Stop{"headrace stop"});
  head.said.clear();
  head.coordinator->hear(ClaimRank{3, 1, {0, 0, 1, "process 9"}});
  BOOST_TEST(has(head.take<ClaimRefused>().at(0).second.text, "the service is ending (headrace stop)"));
}

BOOST_AUTO_TEST_CASE(the_end_is_said_once_to_all_nodes_this_one_last) {
  Head head;
  head.coordinator->hear(Stop{"first"});
  head.coordinator->hear(Stop{"second"});
  const auto ends = head.take<End>();
  BOOST_TEST_REQUIRE(ends.size() == 2u);
  BOOST_TEST((ends[0].first == 1 && ends[1].first == 0 && ends[1].second.reason == "first"));
  BOOST_TEST(head.coordinator->reason() == "first");
  head.drain();
  const auto exits = head.take<Exit>();
  BOOST_TEST_REQUIRE(exits.size() == 2u);
  BOOST_TEST((exits[0].first == 1 && exits[1].first == 0));
}

BOOST_AUTO_TEST_CASE(it_ends_when_all_is_consumed) {
  Head head(1);
  const auto zero = head.claim(0, 2), one = head.claim(1, 2, 1);
  head.coordinator->hear(Finished{0, 0, zero.generation});
  BOOST_TEST(head.take<End>().empty());
  head.coordinator->hear(Finished{0, 1, one.generation + 1});  // of nobody
  BOOST_TEST(head.take<End>().empty());
  head.coordinator->hear(Finished{0, 0, zero.generation, false});  // it went back
  head.coordinator->hear(Finished{0, 1, one.generation});
  BOOST_TEST(head.take<End>().empty());
  head.coordinator->hear(Finished{0, 0, zero.generation});
  BOOST_TEST(head.take<End>().at(0).second.reason == "all epochs are consumed");
}

BOOST_AUTO_TEST_CASE(it_ends_some_time_after_the_last_goodbye) {
  Head head;
  head.config.linger = 30;
  const auto grant = head.claim(0, 1);
  const auto left = Clock::now();
  head.coordinator->hear(Left{0, 0, grant.generation, grant.ledger, true});
  head.coordinator->tick(left + 29s);
  BOOST_TEST(head.take<End>().empty());
  const auto again = head.claim(0, 1);  // somebody came back
  head.coordinator->tick(Clock::now() + 60s);
  BOOST_TEST(head.take<End>().empty());
  head.coordinator->hear(Left{0, 0, again.generation, again.ledger, true});
  head.coordinator->tick(Clock::now() + 31s);
  BOOST_TEST(has(head.take<End>().at(0).second.reason, "every trainer has said goodbye"));
}

BOOST_AUTO_TEST_CASE(a_trainer_that_dies_may_be_replaced) {
  Head head;
  head.config.linger = 1;
  const auto grant = head.claim(0, 1);
  head.coordinator->hear(Left{0, 0, grant.generation, grant.ledger, false});
  head.coordinator->tick(Clock::now() + 1h);
  BOOST_TEST(head.take<End>().empty());
}

BOOST_AUTO_TEST_CASE(the_first_that_goes_on_from_a_state_is_told_to_all) {
  Head head;
  const auto zero = head.claim(0, 2), one = head.claim(1, 2, 1);
  head.coordinator->hear(AskAgree{0, 0, 11, 0, 0, zero.generation, 5, {1, 2}});
  BOOST_TEST(head.said.size() == 3u);
  const auto answer = std::get<AgreeAnswer>(head.said[0].second);
  BOOST_TEST((head.said[0].first == 0 && answer.trainer == 11 && answer.number == 5 && answer.refusal.empty()));
  const auto taken = head.take<StateTaken>();
  BOOST_TEST_REQUIRE(taken.size() == 2u);
  BOOST_TEST((taken[0].first == 1 && taken[0].second.state.at == Step{1, 2}));
  head.coordinator->hear(AskAgree{1, 1, 12, 0, 1, one.generation, 6, {1, 3}});
  BOOST_TEST(head.said.size() == 1u);  // nothing new for the others
  const auto no = head.take<AgreeAnswer>().at(0);
  BOOST_TEST((no.first == 1 && no.second.local == 1 && has(no.second.refusal, "epoch 1, step 3")));
}

BOOST_AUTO_TEST_CASE(exit_waits_for_what_was_left_out_of_the_audit) {
  Head head(1);
  const auto here = known_by_data(head.drawn, 0);  // what was left out each node must add up for itself
  head.begin(here);
  const auto grant = head.claim(0, 1);
  TrainerEpoch report{.world_size = 1, .session = grant.session};
  report.tally = {.epoch = 0, .first = 2, .low = 8};  // it began at step 2
  std::uint64_t all = 0;
  for (std::uint64_t sample = 0; sample < 40; ++sample) all += sample_hash(sample);
  const LeftOut left_out{0, grant.session, 0, {2}};
  report.tally.rows = 30;
  report.tally.hash = all - left_out_hash(head.drawn, head.config.seed, left_out, 0, 3);
  auto stale = report;
  stale.session += 1;
  head.coordinator->hear(stale);
  BOOST_TEST(head.take<AskLeftOut>().empty());
  head.coordinator->hear(report);
  const auto asked = head.take<AskLeftOut>();
  BOOST_TEST_REQUIRE(asked.size() == 2u);
  BOOST_TEST((asked[0].second.what == left_out));
  head.coordinator->hear(Stop{"x"});
  head.drain();
  BOOST_TEST(head.take<Exit>().empty());
  head.coordinator->hear(LeftOutSum{1, left_out, left_out_hash(head.drawn, head.config.seed, left_out, 1, 3)});
  BOOST_TEST(head.take<Exit>().empty());
  head.coordinator->hear(LeftOutSum{0, left_out, left_out_hash(head.drawn, head.config.seed, left_out, 0, 1)});
  BOOST_TEST(head.take<Exit>().size() == 2u);
  BOOST_TEST(head.coordinator->epochs_audited() == 1u);
  BOOST_TEST(!head.coordinator->audit_failed());
}

BOOST_AUTO_TEST_CASE(who_does_not_come_to_the_end_is_named) {
  Head head;
  head.config.start_timeout = 60;
  head.begin(head.drawn);
  head.coordinator->hear(Stop{"x"});
  head.coordinator->hear(Drained{0});
  head.coordinator->hear(Drained{2});
  try {
    head.coordinator->tick(Clock::now() + 2h);
    BOOST_ERROR("it waits for ever");
  } catch (const Error& error) {
    BOOST_TEST(has(error.what(), "stager 1 on n1"), error.what());
  }
}

BOOST_AUTO_TEST_SUITE_END()
