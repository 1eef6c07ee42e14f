#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <random>
#include <vector>

#include "plan/slabs.hpp"

namespace {

using namespace headrace::plan;

Selection random_selection(std::mt19937_64& random, std::uint64_t n) {
  std::vector<Range> ranges;
  for (auto more = random() % 4; more > 0; --more) {
    const auto first = random() % n;
    ranges.push_back({first, first + 1 + random() % (n - first), 1 + random() % 3 * (random() % 2)});
  }
  return ranges.empty() ? Selection::all(n) : Selection::of(ranges);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(slabs)

BOOST_AUTO_TEST_CASE(disjoint_complete_aligned_balanced) {
  std::mt19937_64 random(21);
  for (int i = 0; i < 3000; ++i) {
    const std::uint64_t n = 1 + random() % 5000, align = random() % 3 == 0 ? 1 : 1 + random() % 300;
    const auto stored = random_selection(random, n);
    std::vector<double> weights(1 + random() % 40);
    for (auto& weight : weights) weight = random() % 5 == 0 ? 0 : static_cast<double>(1 + random() % 100) / 7;
    weights[random() % weights.size()] = 3;
    const auto slabs = divide(n, stored, align, weights);
    BOOST_TEST_CONTEXT("n=" << n << " align=" << align << " stagers=" << weights.size()) {
      BOOST_TEST(slabs.size() == weights.size());
      BOOST_TEST(slabs.front().first == 0u);
      BOOST_TEST(slabs.back().last == n);
      const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
      double so_far = 0;
      for (std::size_t s = 0; s + 1 < slabs.size(); ++s) {
        const auto border = slabs[s].last;
        BOOST_TEST((slabs[s].first <= border && slabs[s + 1].first == border));
        BOOST_TEST((border % align == 0 || border == n));
        // Each border is the multiple of align nearest to the wanted place, so at most half a block of stored samples
        // off.
        so_far += weights[s];
        const double wanted = static_cast<double>(stored.size()) * so_far / total;
        const double got = static_cast<double>(stored.lower_bound({border}).value);
        BOOST_TEST(std::abs(got - wanted) <= static_cast<double>(align) / 2 + 1);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(equal_weights_give_equal_slabs) {
  const std::vector<double> four(4, 1.0);
  BOOST_TEST((divide(100, Selection::all(100), 1, four) == std::vector<Slab>{{0, 25}, {25, 50}, {50, 75}, {75, 100}}));
  BOOST_TEST((divide(100, Selection::parse("50:", 100), 1, std::vector<double>{1, 1}) ==
              std::vector<Slab>{{0, 75}, {75, 100}}));
}

BOOST_AUTO_TEST_CASE(more_stagers_than_blocks) {
  const std::vector<double> three(3, 1.0);
  BOOST_TEST((divide(20, Selection::all(20), 10, three) == std::vector<Slab>{{0, 10}, {10, 10}, {10, 20}}));
  BOOST_TEST((divide(2, Selection::all(2), 64, three) == std::vector<Slab>{{0, 0}, {0, 0}, {0, 2}}));
  BOOST_TEST((divide(0, Selection(), 1, three) == std::vector<Slab>(3)));
}

BOOST_AUTO_TEST_CASE(no_weight_no_samples) {
  const std::vector<double> weights{0, 2, 0, 1, 0};
  const auto slabs = divide(300, Selection::parse("30:", 300), 1, weights);
  const std::vector<Slab> wanted{{0, 0}, {0, 210}, {210, 210}, {210, 300}, {300, 300}};
  BOOST_TEST((slabs == wanted));
}

BOOST_AUTO_TEST_CASE(nothing_stored_divides_the_samples) {
  const std::vector<double> two(2, 1.0);
  BOOST_TEST((divide(10, Selection(), 1, two) == std::vector<Slab>{{0, 5}, {5, 10}}));
}

BOOST_AUTO_TEST_CASE(huge) {
  const std::uint64_t n = 1ull << 50;
  const auto slabs = divide(n, Selection::all(n), 4096, std::vector<double>(5000, 0.1));
  for (const auto& slab : slabs)
    BOOST_TEST(std::llabs(static_cast<long long>(slab.last - slab.first - n / 5000)) <= 8192);
}

BOOST_AUTO_TEST_SUITE_END()
