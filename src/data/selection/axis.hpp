// The bins of one variable, and which of them values are in: found without a search or a branch, many at a time.
// Immutable; any thread. Only bins.cpp uses it.
//
//   1. The result depends on edges and values alone: not on processor, compiler or number of lanes.
//   2. A bin has its lower edge, and the last one its upper edge, too.
//
// The range is cut into buckets, whose number grows with the value, and of which none has more than one of the edges
// between bins: how many of these lie below a value is known but for that one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/network.hpp"

namespace headrace::data::selection {

struct Axis {
  enum class By : std::uint8_t { value, magnitude, search };  ///< buckets alike; ones that widen with the value; none
  By by = By::search;
  double first = 0, last = 0;  ///< the outer edges
  double per_width = 0;        ///< by value: buckets per unit
  std::int64_t first_key = 0;  ///< by magnitude: the first bucket, and how many bits of a double make one
  int shift = 0;
  std::uint32_t stride = 1;     ///< what a bin of this variable counts in all
  std::vector<double> edges{};  ///< all
  // Of each bucket: the edge in it, or infinity; and the bins that end in those in front, times the stride.
  std::vector<double> bucket_edge{};
  std::vector<std::uint32_t> bucket_below{};
};

constexpr std::uint8_t is_outside = 1, is_nan = 2;

/// edges: ascending, at least two.
Axis axis_of(const std::vector<double>& edges, std::uint32_t stride);

/// Adds to sums[i] the stride times the bin that values[i] is in (absolute: its amount). Returns whether any is in none;
/// then wrong[i] says what is wrong with it, and its sum means nothing. Some 1 ns each.
bool add_bins(const Axis& axis, bool absolute, const double* values, std::span<std::uint32_t> sums,
              std::span<std::uint8_t> wrong, plan::Isa isa = plan::best_isa());
bool add_bins(const Axis& axis, bool absolute, const std::int64_t* values, std::span<std::uint32_t> sums,
              std::span<std::uint8_t> wrong, plan::Isa isa = plan::best_isa());
bool add_bins(const Axis& axis, bool absolute, const std::uint64_t* values, std::span<std::uint32_t> sums,
              std::span<std::uint8_t> wrong, plan::Isa isa = plan::best_isa());

}  // namespace headrace::data::selection
