#include "commands/bench/rounds.hpp"

#include <boost/test/unit_test.hpp>

using headrace::commands::bench::computed_batches;

BOOST_AUTO_TEST_SUITE(rounds)

BOOST_AUTO_TEST_CASE(five_seconds_of_computing_or_a_thousand_batches) {
  BOOST_TEST(computed_batches(0.05, 2) == 100u);
  BOOST_TEST(computed_batches(0.001, 2) == 1000u);
  BOOST_TEST(computed_batches(1e-300, 2) == 1000u);
}

BOOST_AUTO_TEST_CASE(what_stands_in_the_slots_does_not_weigh) {
  BOOST_TEST(computed_batches(1, 16) == 160u);
  BOOST_TEST(computed_batches(0.001, 101) == 1010u);
  BOOST_TEST(computed_batches(1, 1024) == 10240u);
}

BOOST_AUTO_TEST_CASE(one_batch_at_least) {
  BOOST_TEST(computed_batches(3600, 0) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
