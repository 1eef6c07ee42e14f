// A set of samples of one slab, decided by the data: one bit per sample, with counts in between so that ranks are found
// at once; and, where members are asked for by their numbers, the list of them. Immutable; any thread.
//
//   words    bit i of the set is sample first + i
//   counts   members in front of every word, within its block of 65,536 samples
//   blocks   members in front of every block, and all
//   lows     of every member its place in its block; none where members are neighbours all
//
// Batches ask for some hundred members at a time, which lie far apart: to find one by counting costs a cache miss for
// words and counts each, and branches that nobody can foresee, in all a quarter of what copying a row of 512 bytes does.
// From the list it is one look.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "plan/slabs.hpp"

namespace headrace::plan {

class SampleSet {
 public:
  SampleSet() = default;
  /// What it is asked in the main: where a sample stands, or who the k-th is. This takes 2 bytes a member.
  enum class Ask : std::uint8_t { ranks, members };
  /// words: one bit per sample of the slab; bits beyond its end are ignored.
  SampleSet(Slab slab, std::vector<std::uint64_t> words, Ask ask);

  const Slab& slab() const { return slab_; }
  std::span<const std::uint64_t> words() const { return words_; }
  std::uint64_t size() const { return size_; }
  bool contains(std::uint64_t sample) const;
  std::uint64_t below(std::uint64_t sample) const;  ///< members smaller than the sample, which may lie outside
  /// samples[i]: the member of number ordinals[i] - base; ordinals ascend.
  void samples(std::span<const std::uint64_t> ordinals, std::uint64_t base, std::span<std::int64_t> samples) const;
  /// out[i] = below(samples[i]) for members.
  void ranks(std::span<const std::int64_t> samples, std::span<std::uint32_t> out) const;
  /// Calls f(first, count) for each run of neighbouring members in [first, last), ascending.
  void runs(std::uint64_t first, std::uint64_t last,
            const std::function<void(std::uint64_t first, std::uint64_t count)>& f) const;

 private:
  void list_members();
  void find_in_words(std::span<const std::uint64_t> ordinals, std::uint64_t base,
                     std::span<std::int64_t> samples) const;

  Slab slab_;
  std::vector<std::uint64_t> words_;
  std::vector<std::uint16_t> counts_;
  std::vector<std::uint64_t> blocks_;
  std::vector<std::uint16_t> lows_;
  std::uint64_t size_ = 0;
  std::optional<std::uint64_t> only_run_;  // its first member, where members are neighbours all
};

}  // namespace headrace::plan
