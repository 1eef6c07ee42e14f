// The places of a node: who gets which, when a ring is made anew, and what is said when it cannot be.
#include <boost/test/unit_test.hpp>

#include "service/delivery/places.hpp"
#include "texts.hpp"

using namespace headrace::service::blueprint;
using namespace headrace::service::delivery;
using State = RingKeeper::State;

BOOST_AUTO_TEST_SUITE(places)

namespace {

constexpr std::uint64_t gb = 1'000'000'000;

struct Node {
  MemoryLimit memory{100 * gb, "MemAvailable"};
  Places places;
  explicit Node(std::uint32_t per_stream, std::optional<std::uint64_t> more = {})
      : places({.streams = {"train", "val"},
                .ring_bytes = {4 * gb, gb},
                .per_stream = per_stream,
                .host = "n03",
                .more = more,
                .available = [this] { return memory; }}) {}
  Node(const Node&) = delete;
  /// A trainer came and went, and its ring with it.
  void lose(std::uint32_t stream, std::uint32_t place, State state = State::vacant,
            const std::string& who = "process 7") {
    places.left(stream, place, state);
    places.retired(stream, place, {4 * gb, who});
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(local_ranks_get_their_own_and_others_what_is_left) {
  Node node(3);
  BOOST_TEST(node.places.take(0, 1).taken->place == 1u);
  BOOST_TEST(node.places.take(0, 1).taken->place == 0u);
  BOOST_TEST(node.places.take(0, -1).taken->place == 2u);
  BOOST_TEST(has(node.places.take(0, 7).no_room, "all rings of stream 'train' on n03 are taken"));
  BOOST_TEST(node.places.take(1, 7).taken->place == 0u);  // each stream has its own
  node.places.give_back(0, 0);
  BOOST_TEST(node.places.take(0, 2).taken->place == 0u);
  BOOST_TEST(node.places.left(0, 1, State::whole));
  BOOST_TEST(node.places.take(0, 1).taken->place == 1u);
}

BOOST_AUTO_TEST_CASE(a_lost_ring_is_made_anew_and_only_if_no_other_is_there) {
  Node node(2);
  node.places.take(0, 0);
  node.lose(0, 0);
  auto taken = node.places.take(0, 0).taken;
  BOOST_TEST((taken->place == 1 && !taken->make));
  taken = node.places.take(0, 1).taken;
  BOOST_TEST((taken->place == 0 && taken->make));
  BOOST_TEST(!node.places.take(0, 0).taken.has_value());  // it is being made, for one
  node.places.made(0, 0, true);
  node.places.give_back(0, 0);
  taken = node.places.take(0, 0).taken;
  BOOST_TEST((taken->place == 0 && !taken->make));
}

BOOST_AUTO_TEST_CASE(what_could_not_be_made_is_tried_again) {
  Node node(1);
  node.places.take(0, 0);
  node.lose(0, 0);
  BOOST_TEST(node.places.take(0, 0).taken->make);
  node.places.made(0, 0, false);
  BOOST_TEST(node.places.take(0, 0).taken->make);
}

BOOST_AUTO_TEST_CASE(a_new_ring_must_fit_into_the_memory_that_is_there) {
  Node node(3);
  for (const auto place : {0u, 1u, 2u}) node.places.take(0, static_cast<std::int32_t>(place));
  for (const auto place : {0u, 1u, 2u}) node.lose(0, place, State::vacant, "trainer 0 (process 4711 on n03) lives on");
  node.memory = {9 * gb, "cgroup /job (memory.max)"};
  BOOST_TEST(node.places.take(0, 0).taken->make);
  BOOST_TEST(node.places.take(0, 1).taken->make);
  const auto refused = node.places.take(0, 2);  // two are on their way: 1 GB is left
  BOOST_TEST(!refused.taken.has_value());
  for (const auto* part : {"too little memory on n03", "stream 'train'", "cgroup /job (memory.max)",
                           "trainer 0 (process 4711 on n03) lives on", "end that process"})
    BOOST_TEST(has(refused.no_room, part), refused.no_room);
  node.places.made(0, 0, true);
  node.memory.available = 8 * gb;
  BOOST_TEST(node.places.take(0, 2).taken->make);
}

BOOST_AUTO_TEST_CASE(the_option_memory_counts_what_others_still_have) {
  Node node(2, 5 * gb);
  for (const auto place : {0, 1}) node.places.take(0, place);
  node.lose(0, 0);
  BOOST_TEST(node.places.take(0, 0).taken->make);  // 4 GB more than at the start
  node.lose(0, 1);
  BOOST_TEST(has(node.places.take(0, 1).no_room, "the option memory"));  // 8 GB
  node.places.retired(0, 0, {});
  BOOST_TEST(node.places.take(0, 1).taken->make);
}

BOOST_AUTO_TEST_CASE(a_blocked_place_is_given_to_nobody_and_says_why) {
  Node node(1);
  node.places.take(0, 0);
  node.places.retired(0, 0, {4 * gb, "trainer 0 (process 4711 on n03) lives on"});
  BOOST_TEST(!node.places.left(0, 0, State::blocked));
  const auto refused = node.places.take(0, 0);
  BOOST_TEST(!refused.taken.has_value());
  BOOST_TEST(has(refused.no_room, "process 4711 on n03"), refused.no_room);
  BOOST_TEST(has(refused.no_room, "end that process"));
  BOOST_TEST(node.places.left(0, 0, State::vacant));  // that process ended, the later one lives on
  BOOST_TEST(node.places.take(0, 0).taken->make);
}

BOOST_AUTO_TEST_SUITE_END()
