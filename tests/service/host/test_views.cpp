// Views of a service of several nodes, with the messages between them in a queue: no MPI, no sockets, and time as the
// test says.
#include <boost/test/unit_test.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>

#include "service/host/views.hpp"

namespace {

using namespace headrace::config;
using namespace headrace::data::columns;
using namespace headrace::data::fields;
using namespace headrace::job;
using namespace headrace::service::blueprint;
using namespace headrace::service::books;
using namespace headrace::service::host;
using Json = nlohmann::json;

class Cluster {
 public:
  std::map<std::string, int> sent;                           // messages between nodes, by type
  std::set<std::uint32_t> dead;                              // nodes that take no message
  std::map<std::uint32_t, std::size_t> trainers;             // per stager
  std::map<std::uint32_t, std::vector<FormerRing>> retired;  // per stager
  std::size_t longest = 0;                                   // trainers in one message
  /// Stagers that answer late, and what they are to say.
  std::map<std::uint32_t, std::deque<std::function<void()>>> slow;

  explicit Cluster(const std::vector<std::uint32_t>& stagers) {
    std::uint32_t first = 0;
    for (std::size_t n = 0; n < stagers.size(); ++n, first = nodes_.back().first + nodes_.back().stagers)
      nodes_.push_back({first, stagers[n], "n" + std::to_string(n)});
    for (std::uint32_t n = 0; n < nodes_.size(); ++n)
      for (std::uint32_t local = 0; local < nodes_[n].stagers; ++local) add(n, local);
    pass(std::chrono::milliseconds(0));
  }

  Views& leader(std::uint32_t node) { return *views_[nodes_[node].first]; }

  /// All messages that can arrive do, and time passes.
  void pass(std::chrono::milliseconds time) {
    now_ += time;
    do {
      for (auto& view : views_) view->tick(now_);
      while (!queue_.empty()) {
        const auto deliver = std::move(queue_.front());
        queue_.pop_front();
        deliver();
      }
      for (auto& view : views_) view->tick(now_);
    } while (!queue_.empty());
  }

  /// A slow stager says what it has held back.
  void wake(std::uint32_t stager) {
    const auto held_back = slow.extract(stager);
    for (const auto& say : held_back.mapped()) say();
  }

  /// What a tool at the node hears.
  std::shared_ptr<std::vector<Json>> ask(std::uint32_t node) {
    auto heard = std::make_shared<std::vector<Json>>();
    leader(node).of_service([heard](const Views::Seen& seen) {
      heard->push_back(std::visit([](const auto& message) { return document(message); }, seen));
    });
    return heard;
  }

 private:
  void add(std::uint32_t node, std::uint32_t local) {
    const auto me = nodes_[node].first + local;
    views_.push_back(std::make_unique<Views>(
        nodes_, node, local, Need{100, 10, 1},
        Views::Actions{
            .up = [this, node](const ToHead& message) { send(node, 0, 0, decode_to_head(encode(message))); },
            .down = [this](
                        std::uint32_t to,
                        const FromHead& message) { send(0, to, nodes_[to].first, decode_from_head(encode(message))); },
            .to_others =
                [this, node](const ToStager& message) {
                  for (std::uint32_t l = 1; l < nodes_[node].stagers; ++l)
                    send(node, node, nodes_[node].first + l, decode_to_stager(encode(message)));
                },
            .to_leader =
                [this, node, me](const ToLeader& message) {
                  const auto say = [this, node, message] { send(node, node, nodes_[node].first, message); };
                  slow.contains(me) ? slow[me].push_back(say) : say();
                },
            .trainers =
                [this, me] {
                  std::vector<TrainerFigures> all;
                  for (std::uint32_t g = 0; g < trainers[me]; ++g) all.push_back({.rank = g, .stager = me});
                  return all;
                },
            .retired = [this, me] { return retired[me]; },
            .scratch_read = [me] { return std::uint64_t{1} << me; },
            .window_read = [me] { return std::uint64_t{3} << me; },
            .service = [] { return ServiceFigures{.trainers = 7}; }}));
  }
  template <class Way>
  void send(std::uint32_t from_node, std::uint32_t to_node, std::uint32_t to, const Way& way) {
    std::visit([&](const auto& message) { send_one(from_node, to_node, to, message); }, way);
  }
  template <class Message>
  void send_one(std::uint32_t from_node, std::uint32_t to_node, std::uint32_t to, const Message& message) {
    if constexpr (requires(Views views) { views.hear(message); }) {
      if (from_node != to_node) ++sent[std::is_same_v<Message, View> ? "view" : "other"];
      if constexpr (requires { message.trainers; }) longest = std::max(longest, message.trainers.size());
      if (!dead.contains(to_node) && !dead.contains(from_node))
        queue_.push_back([this, to, message] { views_[to]->hear(message); });
    } else {
      BOOST_ERROR("views send messages for views only");
    }
  }

  std::vector<Node> nodes_;
  std::vector<std::unique_ptr<Views>> views_;
  std::deque<std::function<void()>> queue_;
  headrace::Clock::time_point now_ = headrace::Clock::time_point{} + std::chrono::hours(1);
};

/// (stager, rank) of all trainers that were heard of, and each only once.
std::set<std::pair<unsigned, unsigned>> trainers(const std::vector<Json>& heard) {
  std::set<std::pair<unsigned, unsigned>> all;
  for (const auto& message : heard)
    if (message.contains("trainers"))
      for (const auto& trainer : message.at("trainers"))
        BOOST_TEST(all.insert({trainer.at("stager").get<unsigned>(), trainer.at("rank").get<unsigned>()}).second);
  return all;
}

constexpr std::chrono::milliseconds moment{1}, second{1000};

}  // namespace

BOOST_AUTO_TEST_SUITE(views)

BOOST_AUTO_TEST_CASE(every_node_can_see_all_trainers) {
  for (const auto& stagers : {std::vector{1u}, std::vector{3u}, std::vector{1u, 2u, 1u}, std::vector{2u, 2u}}) {
    Cluster cluster(stagers);
    std::uint32_t all = 0;
    for (const auto count : stagers)
      for (std::uint32_t s = 0; s < count; ++s, ++all) cluster.trainers[all] = all % 3;
    for (std::uint32_t node = 0; node < stagers.size(); ++node) {
      const auto heard = cluster.ask(node);
      cluster.pass(second);
      std::size_t expected = 0;
      for (const auto& [stager, count] : cluster.trainers) expected += count;
      BOOST_TEST(trainers(*heard).size() == expected);
      BOOST_TEST(heard->back().at("type") == "viewed");
      BOOST_TEST(heard->back().at("service").at("trainers") == 7);
      BOOST_TEST(heard->back().at("missing_nodes").empty());
      BOOST_TEST(heard->size() == stagers.size() + 1);
      BOOST_TEST(heard->front().at("memory").at("store_bytes") == 100);
    }
  }
}

BOOST_AUTO_TEST_CASE(former_rings_are_seen_with_their_nodes) {
  Cluster cluster({2, 1});
  const auto ring = [](unsigned bytes) { return FormerRing{.bytes = bytes, .text = "process 7 lives on"}; };
  cluster.retired[0] = {ring(5)};
  for (int i = 0; i < 100; ++i) cluster.retired[1].push_back(ring(7));
  const auto heard = cluster.ask(1);
  cluster.pass(second);
  BOOST_TEST_REQUIRE(heard->size() == 3u);
  for (const auto& view : {heard->at(0), heard->at(1)}) {
    const bool first = view.at("node") == 0;
    BOOST_TEST(view.at("memory").at("retired_bytes") == (first ? 705 : 0));
    BOOST_TEST(view.at("retired").size() == (first ? Views::most_retired : 0));
  }
}

BOOST_AUTO_TEST_CASE(nobody_asks_and_nothing_is_sent) {
  Cluster cluster({2, 2, 2});
  for (int i = 0; i < 100; ++i) cluster.pass(second);
  BOOST_TEST(cluster.sent.empty());
}

BOOST_AUTO_TEST_CASE(a_node_tells_once_a_second_however_many_ask) {
  Cluster cluster({1, 1, 1});
  std::vector<std::shared_ptr<std::vector<Json>>> tools;
  for (int ms = 0; ms < 10'000; ms += 50) {
    tools.push_back(cluster.ask(static_cast<std::uint32_t>(ms / 50 % 3)));
    cluster.pass(std::chrono::milliseconds(50));
  }
  BOOST_TEST(cluster.sent["view"] <= 2 * 11);  // of the two nodes that are not stager 0's
  cluster.pass(second);
  cluster.pass(second);
  for (const auto& heard : tools) BOOST_TEST(heard->size() == 4u);
}

BOOST_AUTO_TEST_CASE(who_asks_in_the_middle_of_a_look_gets_a_whole_one) {
  Cluster cluster({1, 1});
  cluster.dead = {1};
  const auto early = cluster.ask(0);
  cluster.pass(moment);  // node 0 has been seen, node 1 has not
  const auto late = cluster.ask(0);
  cluster.pass(moment);
  cluster.dead.clear();
  for (int i = 0; i < 5; ++i) cluster.pass(second);
  BOOST_TEST(early->size() == 2u);
  BOOST_TEST(late->size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_node_that_does_not_answer_is_named) {
  Cluster cluster({1, 2, 1});
  cluster.dead = {1};
  const auto heard = cluster.ask(2);
  for (int i = 0; i < 4; ++i) cluster.pass(second);
  BOOST_REQUIRE(!heard->empty());
  BOOST_TEST(heard->back().at("missing_nodes") == Json({"n1"}));
  BOOST_TEST(heard->size() == 3u);
}

BOOST_AUTO_TEST_CASE(who_answers_two_looks_at_once_is_counted_once) {
  Cluster cluster({3});
  cluster.trainers = {{0, 1}, {1, 2}, {2, 3}};
  cluster.slow = {{1, {}}, {2, {}}};
  const auto first = cluster.ask(0);
  for (int i = 0; i < 4; ++i) cluster.pass(second);
  BOOST_TEST(first->back().at("type") == "viewed");  // nobody waits so long
  const auto late = cluster.ask(0);
  cluster.pass(second);
  cluster.wake(1);
  cluster.wake(2);
  cluster.pass(moment);
  BOOST_TEST(trainers(*late).size() == 1u + 2 + 3);
  BOOST_TEST_REQUIRE(late->size() == 2u);
  BOOST_TEST(late->front().at("memory").at("scratch_read_bytes") == 1 + 2 + 4);
}

BOOST_AUTO_TEST_CASE(many_trainers_come_in_several_messages) {
  Cluster cluster({2, 2});
  cluster.trainers = {{0, 1}, {1, 1000}, {2, 64}, {3, 129}};
  const auto heard = cluster.ask(1);
  cluster.pass(second);
  BOOST_TEST(trainers(*heard).size() == 1u + 1000 + 64 + 129);
  BOOST_TEST(cluster.longest == Views::trainers_a_message);
  const auto done = cluster.ask(0);
  cluster.pass(second);
  BOOST_TEST(done->back().at("type") == "viewed");
}

BOOST_AUTO_TEST_SUITE_END()
