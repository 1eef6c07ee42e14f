#include "commands/bench/rounds.hpp"

#include <limits>

#include <boost/test/unit_test.hpp>

using headrace::commands::bench::computed_batches;
using headrace::commands::bench::epochs_of_round;
using headrace::commands::bench::message_sizes;

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

BOOST_AUTO_TEST_CASE(a_round_of_small_batches_ends) {
  headrace::commands::bench::BenchOptions options;
  BOOST_TEST(epochs_of_round(options, 2e9, 1000) == 2u);    // 4 GB
  BOOST_TEST(epochs_of_round(options, 128, 4) == 25000u);   // 100,000 batches, not 31 million epochs
  BOOST_TEST(epochs_of_round(options, 6e9, 900000) == 1u);  // never less than an epoch
  BOOST_TEST(epochs_of_round(options, 0, 0) == 100000u);
  options.round_batches = std::numeric_limits<double>::infinity();  // --round 1MB
  options.round_bytes = 1e6;
  BOOST_TEST(epochs_of_round(options, 128, 4) == 7812u);
}

BOOST_AUTO_TEST_CASE(messages_to_many_peers_are_few_and_small) {
  constexpr std::size_t kib = 1 << 10, mib = 1 << 20;
  using Sizes = std::vector<std::size_t>;
  BOOST_TEST(message_sizes(1) == (Sizes{256 * kib, mib, 8 * mib}), boost::test_tools::per_element());
  BOOST_TEST(message_sizes(32) == (Sizes{256 * kib, mib, 8 * mib}), boost::test_tools::per_element());
  BOOST_TEST(message_sizes(256) == (Sizes{256 * kib, mib}), boost::test_tools::per_element());
  BOOST_TEST(message_sizes(4095) == Sizes{256 * kib}, boost::test_tools::per_element());
  BOOST_TEST(message_sizes(65536) == Sizes{16 * kib}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
