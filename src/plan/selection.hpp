// Which samples a stream delivers: a strictly ascending set of sample numbers, held as a few strided ranges.
// Ordinal k is the k-th selected sample. Immutable; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace headrace::plan {

/// Samples first, first + step, ... below last (step >= 1).
struct Range {
  std::uint64_t first = 0, last = 0, step = 1;
  std::uint64_t count() const { return last > first ? (last - first + step - 1) / step : 0; }
  bool operator==(const Range&) const = default;
};

class Selection {
 public:
  Selection() = default;
  static Selection all(std::uint64_t samples);
  /// "a:b", "a:b:step" or several of them separated by commas, with Python's slice meaning over `samples` samples:
  /// bounds may be missing, negative (from the end) or beyond the end, written as 2.8e6 or 2_800_000; step >= 1.
  /// Ranges that overlap select a sample once. Throws UsageError (what is wrong, what would be right) for text that is
  /// not a slice, a range that starts beyond the last sample ("select out of range", names the number of samples),
  /// and an empty result.
  static Selection parse(std::string_view text, std::uint64_t samples);
  /// The union.
  static Selection unite(std::span<const Selection> parts);

  std::uint64_t size() const { return size_; }
  const std::vector<Range>& ranges() const { return ranges_; }   ///< disjoint, ascending by first
  Sample sample(Ordinal k) const;                 ///< k < size()
  Ordinal lower_bound(Sample s) const;            ///< how many selected samples are below s
  bool contains(Sample s) const;
  /// samples[i] = sample(ordinals[i]) for ascending ordinals: one walk along the ranges, not a search each.
  void samples(std::span<const std::uint64_t> ordinals, std::span<std::int64_t> samples) const;
  /// out[i] = lower_bound(samples[i]) - base for ascending selected samples.
  void ordinals(std::span<const std::int64_t> samples, std::uint64_t base, std::span<std::uint32_t> out) const;

 private:
  std::vector<Range> ranges_;
  std::vector<std::uint64_t> before_;  // selected samples before each range
  std::uint64_t size_ = 0;
};

}  // namespace headrace::plan
