#include "service/books/following.hpp"

#include <boost/test/unit_test.hpp>

using namespace headrace::service::books;

BOOST_AUTO_TEST_SUITE(following)

namespace {

constexpr std::uint64_t steps = 10;
constexpr std::uint32_t slots = 4;

Resumed state(std::uint64_t number, Step at) {
  return {number, at, "rank 0 (process 7 on n0)"};
}

}  // namespace

BOOST_AUTO_TEST_CASE(who_loads_nothing_strays_with_its_first_batch) {
  Following me(steps, slots);
  me.resumed(state(0, {1, 4}), {0, 0}, 0);
  BOOST_TEST(!me.strays("rank 1", {0, 0}, 0).has_value());  // it may still load it
  BOOST_TEST(
      me.strays("rank 1", {0, 0}, 1).value() ==
      "rank 1 goes on at epoch 0, step 0 without a state, but rank 0 (process 7 on n0) loaded one and goes on at "
      "epoch 1, step 4; load the state of the same moment in every trainer (load_state_dict)");
  me.loaded();
  BOOST_TEST(!me.strays("rank 1", {1, 4}, 1).has_value());
}

BOOST_AUTO_TEST_CASE(who_is_at_work_has_a_ring_full_of_batches_more) {
  Following me(steps, slots);
  me.resumed(state(0, {0, 2}), {1, 0}, 30);
  BOOST_TEST(!me.strays("rank 1", {1, 4}, 34).has_value());
  BOOST_TEST(me.strays("rank 1", {1, 5}, 35).has_value());
}

BOOST_AUTO_TEST_CASE(who_is_there_already_owes_nothing) {
  for (const bool fresh : {true, false}) {
    Following me(steps, slots);
    me.resumed(state(0, {1, 0}), fresh ? Step{1, 0} : Step{0, 7}, fresh ? 0 : 12);
    BOOST_TEST(!me.strays("rank 1", {1, 3}, 100).has_value());
  }
  Following behind(steps, slots);
  behind.resumed(state(0, {1, 0}), {0, 5}, 12);
  BOOST_TEST(behind.strays("rank 1", {1, 3}, 100).has_value());
}

BOOST_AUTO_TEST_CASE(a_seek_to_the_place_pays_and_another_does_not) {
  Following me(steps, slots);
  me.resumed(state(0, {1, 4}), {0, 0}, 0);
  me.seeks({1, 5});
  BOOST_TEST(me.strays("rank 1", {1, 5}, 1).has_value());
  me.seeks({1, 4});
  BOOST_TEST(!me.strays("rank 1", {1, 4}, 1).has_value());
}

BOOST_AUTO_TEST_CASE(states_are_counted_one_by_one) {
  Following me(steps, slots);
  me.loaded(1);  // whoever had the rank before
  me.resumed(state(0, {1, 4}), {0, 0}, 0);
  BOOST_TEST(!me.strays("rank 1", {0, 0}, 9).has_value());
  me.resumed(state(1, {2, 4}), {0, 0}, 0);
  me.resumed(state(2, {3, 4}), {0, 0}, 0);
  me.loaded();
  BOOST_TEST(me.strays("rank 1", {2, 4}, 9).value().find("epoch 3, step 4") != std::string::npos);
  me.loaded();
  BOOST_TEST(!me.strays("rank 1", {3, 4}, 9).has_value());
  me.resumed(state(2, {3, 4}), {0, 0}, 9);  // old news
  BOOST_TEST(!me.strays("rank 1", {3, 4}, 99).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
