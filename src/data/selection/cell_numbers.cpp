#include "data/selection/cell_numbers.hpp"

#include <algorithm>
#include <bit>

namespace headrace::data::selection {

namespace {

/// What is no cell is counted, too, behind them.
template <class Cell>
std::vector<std::uint64_t> counted(std::span<const Cell> cells, std::size_t size) {
  std::vector<std::uint64_t> counts(size + 1);
  for (const auto cell : cells) ++counts[std::min<std::size_t>(cell, size)];
  counts.pop_back();
  return counts;
}

}  // namespace

std::vector<std::uint32_t> cells_of(std::span<const std::uint32_t> bins, std::uint32_t bins_of_class,
                                    std::span<const std::uint64_t> bits,
                                    std::span<const std::vector<std::uint64_t>> classes) {
  std::vector<std::uint32_t> cells(bins.size(), no_cell);
  const auto set = [&](std::uint64_t samples, std::size_t word, std::uint32_t first_cell) {
    for (; samples != 0; samples &= samples - 1) {
      const auto i = word * 64 + static_cast<unsigned>(std::countr_zero(samples));
      cells[i] = bins[i] + (bins[i] < no_cell ? first_cell : 0);
    }
  };
  for (std::size_t w = 0; w * 64 < bins.size(); ++w) {
    auto left = bits[w];
    if (bins.size() - w * 64 < 64) left &= (std::uint64_t{1} << (bins.size() - w * 64)) - 1;
    if (classes.empty()) set(left, w, 0);
    for (std::uint32_t c = 0; c < classes.size() && left != 0; ++c) {
      set(left & classes[c][w], w, c * bins_of_class);
      left &= ~classes[c][w];
    }
  }
  return cells;
}

std::vector<std::uint64_t> count_cells(std::span<const std::uint32_t> cells, std::size_t size) {
  return counted(cells, size);
}

std::vector<std::uint64_t> count_cells(std::span<const std::uint16_t> cells, std::size_t size) {
  return counted(cells, size);
}

std::vector<std::uint16_t> numbered(std::span<const std::uint32_t> cells, std::vector<std::uint16_t> numbers,
                                    std::uint16_t none) {
  const auto size = numbers.size();
  numbers.push_back(none);
  std::vector<std::uint16_t> all(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) all[i] = numbers[std::min<std::size_t>(cells[i], size)];
  return all;
}

}  // namespace headrace::data::selection
