// Samples of one slab, each of which comes any number of times in an epoch: what draw.hpp says, sample by sample. Copies
// of a sample follow each other; they are counted through by ascending sample. Immutable; any thread.
//
//   cells    of each sample the number of its cell, 2 bytes
//   places   its place on the ring of that cell, 4 bytes; none where all of a cell come alike
//   bases    what the bases of their cells come to in front of every 16 samples, 2 bits a sample; none where all are 0
//   bits     whether it comes once more than its cell's base, 1 bit
//   sums     copies in front of every 16 samples, 2 bits a sample
//   marks    which of these every 64th copy is among, half a bit a copy: copies are found by their number without a search
//
// Cells, places and bases are the same for all epochs, and shared.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "plan/draw.hpp"
#include "plan/network.hpp"
#include "plan/slabs.hpp"

namespace headrace::plan {

/// The samples of a slab as they are in every epoch.
struct DrawnSlab {
  Slab slab;
  std::vector<std::uint16_t> cells;    ///< of each sample; Draw::no_cell(): it does not come
  std::vector<std::uint32_t> places;   ///< of each sample; or empty
  std::vector<std::uint32_t> bases{};  ///< as base_sums() has it; or empty, which costs each epoch that sum
};

/// In front of every 16 samples. Empty: all bases are 0.
std::vector<std::uint32_t> base_sums(const std::vector<Draw::Share>& shares, std::span<const std::uint16_t> cells);

class Multiset {
 public:
  static constexpr std::size_t per_sum = 16;
  /// Bytes that an epoch takes beside the slab's, per sample.
  static constexpr double bytes_a_sample = 1.0 / 8 + 4.0 / 16;
  /// And per copy.
  static constexpr double bytes_a_copy = 4.0 / 64;

  /// One pass over the slab. It must come to less than 2^32 copies.
  Multiset(std::shared_ptr<const DrawnSlab> slab, const std::vector<Draw::Share>& shares, Isa isa = best_isa());

  const Slab& slab() const { return drawn_->slab; }
  std::uint64_t size() const { return size_; }      ///< copies
  std::uint64_t count(std::uint64_t sample) const;  ///< copies of a sample, which may lie outside
  std::uint64_t below(std::uint64_t sample) const;  ///< copies of smaller samples
  /// samples[i]: the one with the copy of number ordinals[i] - base; ordinals ascend.
  void samples(std::span<const std::uint64_t> ordinals, std::uint64_t base, std::span<std::int64_t> samples) const;
  /// Bit i: the slab's sample of number i comes once more than its cell's base.
  std::span<const std::uint64_t> more() const { return bits_; }

 private:
  static constexpr std::size_t per_mark = 64;
  void pass(std::size_t first, const std::uint32_t* before);
  void mark();
  std::size_t sum_of(std::uint64_t number) const;
  std::int64_t sample_in(std::size_t sum, std::uint64_t number) const;
  std::uint32_t copies(std::size_t i) const {
    return bases_[drawn_->cells[i]] + static_cast<std::uint32_t>(bits_[i / 64] >> i % 64 & 1);
  }

  std::shared_ptr<const DrawnSlab> drawn_;
  // By cell: Draw::Share, `first` in the lower half of a stretch and `length` in the upper one.
  std::vector<std::uint64_t> stretches_;
  std::vector<std::uint32_t> bases_;
  std::vector<std::uint64_t> bits_;
  std::vector<std::uint32_t> sums_, marks_;
  std::uint64_t size_ = 0;
};

}  // namespace headrace::plan
