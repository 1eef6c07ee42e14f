// One epoch's order says nothing about the next one's; and large orders mix what lies together.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <set>

#include "plan/permutation.hpp"
#include "plan/statistics.hpp"

namespace {

using namespace statistics;
namespace plan = headrace::plan;

Order epoch(std::uint64_t n, std::uint64_t number) {
  Order order(n);
  plan::Permutation(n, plan::epoch_key(99, "train", number)).evaluate(0, order);
  return order;
}

/// Keys one after another, without epoch_key's mixing: the key schedule alone has to keep them apart.
Order raw_key(std::uint64_t n, std::uint64_t key) {
  Order order(n);
  plan::Permutation(n, key).evaluate(0, order);
  return order;
}

struct PairStatistics {
  double joint, matches, distance;
};

PairStatistics compare_neighbours(const Family& family, std::uint64_t n, std::uint64_t pairs) {
  std::vector<double> joint(64), distance;
  std::vector<std::uint64_t> matches;
  for (std::uint64_t k = 0; k < pairs; ++k) {
    const auto a = family(n, k), b = family(n, k + 1);
    std::uint64_t same = 0;
    double sum = 0;
    for (std::uint64_t p = 0; p < n; ++p) {
      ++joint[a[p] * 8 / n * 8 + b[p] * 8 / n];
      same += a[p] == b[p] ? 1 : 0;
      const double d = static_cast<double>(a[p]) - static_cast<double>(b[p]);
      sum += d * d;
    }
    matches.push_back(same);
    distance.push_back(sum);
  }
  const double m = static_cast<double>(n);
  return {excess(joint, 49), poisson(matches),
          moments(distance, m * (m * m - 1) / 6, m * m * (m + 1) * (m + 1) * (m - 1) / 36)};
}

/// Bins of what becomes of two positions that differ in one bit, worst over all bits: top and bottom six bits of
/// difference and of exclusive or.
double worst_differential(const plan::Permutation& order, unsigned bits) {
  double worst = 0;
  Order values(order.size());
  order.evaluate(0, values);
  const std::uint64_t pairs = std::min<std::uint64_t>(order.size() / 2, 1 << 17), mask = order.size() - 1;
  for (unsigned bit = 0; bit < bits; ++bit) {
    std::array<std::vector<double>, 4> bins;
    bins.fill(std::vector<double>(64));
    for (std::uint64_t p = 0, seen = 0; seen < pairs; ++p) {
      if (p >> bit & 1) continue;
      ++seen;
      const auto a = values[p], b = values[p | std::uint64_t{1} << bit];
      ++bins[0][((a - b) & mask) >> (bits - 6)];
      ++bins[1][(a - b) & 63];
      ++bins[2][(a ^ b) >> (bits - 6)];
      ++bins[3][(a ^ b) & 63];
    }
    for (const auto& counts : bins) worst = std::max(worst, excess(counts));
  }
  return worst;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(permutation_epochs)

BOOST_AUTO_TEST_CASE(epochs_are_unrelated) {
  for (const std::uint64_t n : {64, 200, 1000}) {
    for (const auto& family : {Family(epoch), Family(raw_key), Family(fisher_yates)}) {
      const auto result = compare_neighbours(family, n, 2000);
      BOOST_TEST(result.joint < limit, "n=" << n << ": " << result.joint);
      BOOST_TEST(result.matches < limit, "n=" << n << ": " << result.matches);
      BOOST_TEST(result.distance < limit, "n=" << n << ": " << result.distance);
    }
    const auto same = compare_neighbours([](std::uint64_t size, std::uint64_t) { return epoch(size, 1); }, n, 50);
    BOOST_TEST(same.matches > 2 * limit);
  }
}

BOOST_AUTO_TEST_CASE(keys_differ_by_seed_stream_and_epoch) {
  std::set<std::uint64_t> keys;
  for (const auto* stream : {"train", "val", "", "vam", "trainn"})
    for (std::uint64_t seed = 0; seed < 20; ++seed)
      for (std::uint64_t number = 0; number < 50; ++number) keys.insert(plan::epoch_key(seed, stream, number));
  BOOST_TEST(keys.size() == 5u * 20 * 50);
}

BOOST_AUTO_TEST_CASE(neighbouring_positions_of_large_orders_part) {
  for (const unsigned bits : {12u, 15u, 17u, 20u, 21u})
    for (std::uint64_t key = 0; key < 4; ++key) {
      const plan::Permutation order(std::uint64_t{1} << bits, key);
      const double worst = worst_differential(order, bits);
      BOOST_TEST(worst < limit + 1, bits << " bits, key " << key << ": " << worst);  // the worst of some 80
    }
}

BOOST_AUTO_TEST_CASE(successive_values_of_large_orders_are_unrelated) {
  for (const std::uint64_t n : {2'000'000ull, 30'000'000ull, 33'554'433ull, 5'000'000'000ull, 1ull << 62}) {
    const plan::Permutation order(n, plan::epoch_key(5, "train", n));
    Order values(1 << 19);
    order.evaluate(n / 3, values);
    std::vector<double> pairs(4096), triples(4096);
    const double width = static_cast<double>(n);
    const auto bin = [&](std::uint64_t v, double bins) {
      return static_cast<std::size_t>(static_cast<double>(v) / width * bins);
    };
    for (std::size_t i = 0; i + 2 < values.size(); ++i) {
      ++pairs[bin(values[i], 64) * 64 + bin(values[i + 1], 64)];
      ++triples[(bin(values[i], 16) * 16 + bin(values[i + 1], 16)) * 16 + bin(values[i + 2], 16)];
    }
    BOOST_TEST(excess(pairs) < limit, "n=" << n);
    BOOST_TEST(excess(triples) < limit, "n=" << n);
  }
}

BOOST_AUTO_TEST_CASE(batches_draw_from_the_whole_file) {
  // How many samples of each 16th of the file a batch of 1024 gets: hypergeometric mean and variance.
  const std::uint64_t n = 1'600'000, batch = 1024;
  const plan::Permutation order(n, plan::epoch_key(5, "train", 0));
  std::vector<double> counts;
  Order values(batch);
  for (std::uint64_t first = 0; first + batch <= n; first += batch) {
    order.evaluate(first, values);
    std::array<double, 16> parts{};
    for (const auto v : values) ++parts[v / (n / 16)];
    counts.push_back(parts[3]);
  }
  const double share = 1.0 / 16, rows = static_cast<double>(batch), all = static_cast<double>(n);
  BOOST_TEST(moments(counts, rows * share, rows * share * (1 - share) * (all - rows) / (all - 1)) < limit);
}

BOOST_AUTO_TEST_SUITE_END()
