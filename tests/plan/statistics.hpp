// Statistics of permutations, for comparing a family of them (one per key) with what uniformly random ones would give.
// Each returns how many standard deviations lie between what was counted and what was to be expected.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include "base/hash.hpp"

namespace statistics {

constexpr double limit = 5;  ///< of such distances, for what is random

using Order = std::vector<std::uint64_t>;
using Family = std::function<Order(std::uint64_t n, std::uint64_t key)>;

/// Chi-square of counts that should be alike, as a distance in standard deviations (one-sided: only excess counts).
inline double excess(std::span<const double> counts, std::span<const double> expected, double freedom) {
  double chi = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    chi += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
  return (chi - freedom) / std::sqrt(2 * freedom);
}

inline double excess(std::span<const double> counts, double freedom = -1) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  const std::vector<double> expected(counts.size(), total / static_cast<double>(counts.size()));
  return excess(counts, expected, freedom < 0 ? static_cast<double>(counts.size()) - 1 : freedom);
}

/// Mean and variance of a statistic against its known ones: the larger distance. For near-normal statistics.
inline double moments(std::span<const double> values, double mean, double variance) {
  const double count = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double v : values) {
    sum += v - mean;
    squares += (v - mean) * (v - mean);
  }
  const double of_mean = std::abs(sum / count) / std::sqrt(variance / count);
  const double of_variance = std::abs(squares / count / variance - 1) / std::sqrt(2 / count);
  return std::max(of_mean, of_variance);
}

/// Counts that should follow Poisson(1), in the bins 0, 1, 2, 3, 4 and more.
inline double poisson(std::span<const std::uint64_t> values) {
  const double all = static_cast<double>(values.size());
  std::vector<double> counts(5),
      expected{0.367879 * all, 0.367879 * all, 0.183940 * all, 0.061313 * all, 0.018988 * all};
  for (const auto v : values) ++counts[std::min<std::uint64_t>(v, 4)];
  return excess(counts, expected, 4);
}

/// The reference: uniform by construction.
inline Order fisher_yates(std::uint64_t n, std::uint64_t key) {
  std::mt19937_64 random(headrace::sample_hash(key));  // neighbouring seeds start alike
  Order order(n);
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  for (std::uint64_t i = n; i > 1; --i)
    std::swap(order[i - 1], order[std::uniform_int_distribution<std::uint64_t>(0, i - 1)(random)]);
  return order;
}

/// What the tests must catch: p -> p*a + b in a power of two with cycle walking.
inline Order affine(std::uint64_t n, std::uint64_t key) {
  std::mt19937_64 random(headrace::sample_hash(key));  // neighbouring seeds start alike
  std::uint64_t domain = 256;
  while (domain < n) domain *= 2;
  const std::uint64_t a = random() | 1, b = random();
  Order order(n);
  for (std::uint64_t p = 0; p < n; ++p) {
    std::uint64_t x = p;
    do x = (x * a + b) % domain;
    while (x >= n);
    order[p] = x;
  }
  return order;
}

}  // namespace statistics
