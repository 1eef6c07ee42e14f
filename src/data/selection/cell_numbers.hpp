// The cells of samples: class and bin of each, and what a draw calls them. Each step is one pass over the samples, without
// branches that depend on them. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace headrace::data::selection {

/// Instead of a cell: the sample does not come, is in no bin, or has NaN (Bins::outside, Bins::nan).
constexpr std::uint32_t no_cell = UINT32_MAX - 2;

/// Of each sample of `bins`: class * bins_of_class + bin. bits: those that come; classes: of each of them (none: there are
/// no classes); who is of none does not come.
std::vector<std::uint32_t> cells_of(std::span<const std::uint32_t> bins, std::uint32_t bins_of_class,
                                    std::span<const std::uint64_t> bits,
                                    std::span<const std::vector<std::uint64_t>> classes);

/// How many are of each cell.
std::vector<std::uint64_t> count_cells(std::span<const std::uint32_t> cells, std::size_t size);
std::vector<std::uint64_t> count_cells(std::span<const std::uint16_t> cells, std::size_t size);

/// numbers[cell] of each, and `none` of what is no cell.
std::vector<std::uint16_t> numbered(std::span<const std::uint32_t> cells, std::vector<std::uint16_t> numbers,
                                    std::uint16_t none);

}  // namespace headrace::data::selection
