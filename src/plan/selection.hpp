// Which samples a stream delivers: a strictly ascending set of sample numbers, held as a few repeating patterns.
// Ordinal k is the k-th selected sample. Immutable; any thread.
//
//   segment   [first, last): the samples first + q*period + offset, for all q and every offset of its pattern
//             a plain slice a:b:s is one segment of period s and the single offset 0
//
// 1. Segments are disjoint, ascending and not empty; they start at a selected sample and end behind one.
// 2. Offsets ascend from 0; a pattern that consists of repeats is cut down to one of them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace headrace::plan {

/// Samples first, first + step, ... below last (step >= 1).
struct Range {
  std::uint64_t first = 0, last = 0, step = 1;
  std::uint64_t count() const { return last > first ? (last - first - 1) / step + 1 : 0; }
  bool operator==(const Range&) const = default;
};

struct Segment {
  std::uint64_t first = 0, last = 0, period = 1;
  std::vector<std::uint64_t> offsets{0};  ///< within a period, ascending from 0
  std::uint64_t before = 0;               ///< selected samples in front of the segment

  std::uint64_t count_below(std::uint64_t sample) const;  ///< of this segment
  std::uint64_t count() const { return count_below(last); }
  std::uint64_t sample(std::uint64_t k) const;  ///< the k-th of this segment
  bool operator==(const Segment&) const = default;
};

class Selection {
 public:
  Selection() = default;
  static Selection all(std::uint64_t samples);
  /// "a:b", "a:b:step" or several of them separated by commas, with Python's slice meaning over `samples` samples:
  /// bounds may be missing, negative (from the end) or beyond the end, written as 2.8e6 or 2_800_000; with a point and
  /// between 0 and 1 they are fractions of all samples (0.8: is the last fifth); step >= 1.
  /// Ranges that overlap select a sample once. Throws UsageError (what is wrong, what would be right) for text that is
  /// not a slice, a range that starts beyond the last sample ("select out of range", names the number of samples),
  /// an empty result, and slices of different steps whose union repeats only after more than 1,024 selected samples.
  static Selection parse(std::string_view text, std::uint64_t samples);
  /// The union of ranges in any order. Throws UsageError as parse() does when steps do not fit each other.
  static Selection of(std::span<const Range> ranges);
  /// The union.
  static Selection unite(std::span<const Selection> parts);

  std::uint64_t size() const { return size_; }
  const std::vector<Segment>& segments() const { return segments_; }
  /// The same set as plain ranges: disjoint, ascending by first. Those of one segment interleave ("1::10,2::10").
  std::vector<Range> ranges() const;
  Sample sample(Ordinal k) const;       ///< k < size()
  Ordinal lower_bound(Sample s) const;  ///< how many selected samples are below s
  bool contains(Sample s) const;
  /// samples[i] = sample(ordinals[i]) for ascending ordinals: one walk along the segments, not a search each.
  void samples(std::span<const std::uint64_t> ordinals, std::span<std::int64_t> samples) const;
  /// out[i] = lower_bound(samples[i]) - base for ascending selected samples.
  void ordinals(std::span<const std::int64_t> samples, std::uint64_t base, std::span<std::uint32_t> out) const;
  bool operator==(const Selection&) const = default;

 private:
  void append(Segment segment);
  const Segment* segment_of(std::uint64_t sample) const;

  std::vector<Segment> segments_;
  std::uint64_t size_ = 0;
};

/// How many samples are in both.
std::uint64_t shared(const Selection& one, const Selection& other);

}  // namespace headrace::plan
