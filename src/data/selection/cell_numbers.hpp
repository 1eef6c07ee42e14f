// The cells of samples: class and bin of each, and what a draw calls them. They are worked out block by block whenever
// they are asked for, which is cheaper than to keep them. Immutable; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "plan/network.hpp"

namespace headrace::data::selection {

/// Instead of a cell: the sample does not come, is in no bin, or has NaN (Bins::outside, Bins::nan).
constexpr std::uint32_t no_cell = UINT32_MAX - 2;

class SampleCells {
 public:
  static constexpr std::size_t block = 1024;

  /// bins: of each sample; bits: those that come; classes: of each of them (none: there are no classes), who is of several
  /// counts as of the first, and who is of none does not come. All must outlive it.
  SampleCells(std::span<const std::uint32_t> bins, std::uint32_t bins_of_class, std::span<const std::uint64_t> bits,
              std::span<const std::vector<std::uint64_t>> classes)
      : bins_(bins), bins_of_class_(bins_of_class), bits_(bits), classes_(classes) {}

  std::size_t size() const { return bins_.size(); }
  /// The cells of samples first, first + 1, ...: class * bins_of_class + bin. first: a multiple of 64.
  void find(std::size_t first, std::span<std::uint32_t> cells, plan::Isa isa = plan::best_isa()) const;
  /// f(first, cells) for block after block.
  template <class F>
  void each(const F& f) const {
    std::array<std::uint32_t, block> cells;
    for (std::size_t first = 0; first < size(); first += block) {
      const auto some = std::span(cells).first(std::min(block, size() - first));
      find(first, some);
      f(first, std::span<const std::uint32_t>(some));
    }
  }

 private:
  std::span<const std::uint32_t> bins_;
  std::uint32_t bins_of_class_;
  std::span<const std::uint64_t> bits_;
  std::span<const std::vector<std::uint64_t>> classes_;
};

/// How many are of each cell, and how many that would come are of none.
struct CellCounts {
  std::vector<std::uint64_t> there;
  std::uint64_t nan = 0, outside = 0;
};
/// size: cells that there can be.
CellCounts count_cells(const SampleCells& cells, std::size_t size);
std::vector<std::uint64_t> count_cells(std::span<const std::uint16_t> cells, std::size_t size);

/// numbers[cell] of each, and `none` of what is no cell.
std::vector<std::uint16_t> numbered(const SampleCells& cells, const std::vector<std::uint16_t>& numbers,
                                    std::uint16_t none);

}  // namespace headrace::data::selection
