#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "base/hash.hpp"

using namespace headrace;

BOOST_AUTO_TEST_SUITE(hash)

// Positions saved by one release are checked by the next: the numbers were computed elsewhere (Python integers).
BOOST_AUTO_TEST_CASE(values_stay) {
  BOOST_TEST(sample_hash(0) == 0x9ca066f1a4ab2eeaull);
  BOOST_TEST(sample_hash(1) == 0xe5fdc025e13eeed5ull);
  BOOST_TEST(sample_hash(123456789012345) == 0x457a9cd5060fc04eull);
  static_assert(sample_hash(0) != 0, "sample 0 must count");
}

BOOST_AUTO_TEST_CASE(no_two_samples_alike) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t sample = 0; sample < 100'000; ++sample) seen.insert(sample_hash(sample));
  BOOST_TEST(seen.size() == 100'000u);
}

BOOST_AUTO_TEST_CASE(sum_knows_the_set_and_not_its_order) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::int64_t> samples(2 + random() % 500);
    std::iota(samples.begin(), samples.end(), random() % 1000);
    const auto sum = hash_samples(samples);
    std::shuffle(samples.begin(), samples.end(), random);
    BOOST_TEST(hash_samples(samples) == sum);
    const auto kept = samples.back();
    samples.back() = samples.front();  // one missing, one twice
    BOOST_TEST(hash_samples(samples) != sum);
    samples.back() = kept;
    std::uint64_t parts = 0;
    for (const auto sample : samples) parts += hash_samples({&sample, 1});
    BOOST_TEST(parts == sum);
  }
}

BOOST_AUTO_TEST_SUITE_END()
