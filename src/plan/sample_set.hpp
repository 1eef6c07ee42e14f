// A set of samples of one slab, decided by the data: one bit per sample, with counts in between so that ranks and
// members are found at once. Immutable; any thread.
//
//   words    bit i of the set is sample first + i
//   counts   members in front of every word, and all
//   hints    the words of members 0, 64, 128 ...: from there it is never far
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "plan/slabs.hpp"

namespace headrace::plan {

class SampleSet {
 public:
  SampleSet() = default;
  /// words: one bit per sample of the slab; bits beyond its end are ignored.
  SampleSet(Slab slab, std::vector<std::uint64_t> words);

  const Slab& slab() const { return slab_; }
  std::span<const std::uint64_t> words() const { return words_; }
  std::uint64_t size() const { return size_; }
  bool contains(std::uint64_t sample) const;
  std::uint64_t below(std::uint64_t sample) const;  ///< members smaller than the sample, which may lie outside
  std::uint64_t sample(std::uint64_t k) const;      ///< the k-th member, k < size()
  /// samples[i] = sample(ordinals[i] - base).
  void samples(std::span<const std::uint64_t> ordinals, std::uint64_t base, std::span<std::int64_t> samples) const;
  /// out[i] = below(samples[i]) for members.
  void ranks(std::span<const std::int64_t> samples, std::span<std::uint32_t> out) const;
  /// Calls f(first, count) for each run of neighbouring members in [first, last), ascending.
  void runs(std::uint64_t first, std::uint64_t last,
            const std::function<void(std::uint64_t first, std::uint64_t count)>& f) const;

 private:
  static constexpr std::uint64_t members_per_hint = 64;
  static constexpr int few_words = 8;  // which are looked through one after another

  Slab slab_;
  std::vector<std::uint64_t> words_;
  std::vector<std::uint64_t> counts_;
  std::vector<std::uint32_t> hints_;
  std::uint64_t size_ = 0;
};

}  // namespace headrace::plan
