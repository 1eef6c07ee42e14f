// A whole number cut into whole parts by weights: each gets its share rounded down, and those that lost most by that get
// one more each, the first of equal ones. Exact: all who compute it come to the same. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "base/contract.hpp"
#include "plan/wide.hpp"

namespace headrace::data::selection {

/// The parts add up to `whole`, and none is off its share by 1 or more. The weights add up to 1 .. 2^63. Parts of which
/// `rounds` is 0 are not rounded up (empty: all may be); where too few are, the parts add up to less.
inline std::vector<std::uint64_t> apportion(std::uint64_t whole, std::span<const std::uint64_t> weights,
                                            std::span<const std::uint64_t> rounds = {}) {
  EXPECTS(rounds.empty() || rounds.size() == weights.size());
  const auto sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  EXPECTS(sum > 0 && sum <= std::uint64_t{1} << 63);
  std::vector<std::uint64_t> parts, lost;
  auto left = whole;
  for (const auto weight : weights) {
    const auto share = plan::Unsigned128{whole} * weight;
    parts.push_back(static_cast<std::uint64_t>(share / sum));
    lost.push_back(static_cast<std::uint64_t>(share % sum));
    left -= parts.back();
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (lost[i] > 0 && (rounds.empty() || rounds[i] > 0)) order.push_back(i);
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return lost[a] > lost[b]; });
  // What all lost adds up to left * sum, each less than sum: so many there are, unless some are not rounded up.
  for (std::size_t i = 0; i < std::min<std::size_t>(left, order.size()); ++i) ++parts[order[i]];
  return parts;
}

}  // namespace headrace::data::selection
