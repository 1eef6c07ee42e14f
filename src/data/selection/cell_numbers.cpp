#include "data/selection/cell_numbers.hpp"

#include <bit>

#include "base/contract.hpp"

namespace headrace::data::selection {

namespace {

constexpr std::size_t word_bits = 64;

/// Of the samples of a word those that are in `which`.
template <std::size_t lanes>
[[gnu::always_inline]] inline void put(std::uint32_t which, const std::uint32_t* __restrict bins,
                                       std::uint32_t first_cell, std::uint32_t* __restrict cells) {
  for (std::uint32_t i = 0; i < lanes; ++i) {
    const auto in = 0u - (which >> i & 1);
    const auto cell = bins[i] + (bins[i] < no_cell ? first_cell : 0);
    cells[i] = (cell & in) | (cells[i] & ~in);
  }
}

[[gnu::always_inline]] inline void put(std::uint64_t which, const std::uint32_t* bins, std::uint32_t first_cell,
                                       std::uint32_t* cells) {
  put<word_bits / 2>(static_cast<std::uint32_t>(which), bins, first_cell, cells);
  put<word_bits / 2>(static_cast<std::uint32_t>(which >> word_bits / 2), bins + word_bits / 2, first_cell,
                     cells + word_bits / 2);
}

// One body, compiled per instruction set, as in plan/network.cpp.
void put_any(std::uint64_t which, const std::uint32_t* bins, std::uint32_t first_cell, std::uint32_t* cells) {
  put(which, bins, first_cell, cells);
}
#if defined(__x86_64__)
[[gnu::target("avx2")]] void put_avx2(std::uint64_t which, const std::uint32_t* bins, std::uint32_t first_cell,
                                      std::uint32_t* cells) {
  put(which, bins, first_cell, cells);
}
[[gnu::target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")]] void put_avx512(std::uint64_t which,
                                                                                     const std::uint32_t* bins,
                                                                                     std::uint32_t first_cell,
                                                                                     std::uint32_t* cells) {
  put(which, bins, first_cell, cells);
}
#endif

using Put = void (*)(std::uint64_t, const std::uint32_t*, std::uint32_t, std::uint32_t*);

Put put_of(plan::Isa isa) {
  EXPECTS(plan::supported(isa));
#if defined(__x86_64__)
  if (isa == plan::Isa::avx512) return put_avx512;
  if (isa == plan::Isa::avx2) return put_avx2;
#endif
  static_cast<void>(isa);
  return put_any;
}

/// One by one: where they are few, or the last word is not full.
void put_few(std::uint64_t which, const std::uint32_t* bins, std::uint32_t first_cell, std::uint32_t* cells) {
  for (; which != 0; which &= which - 1) {
    const auto i = std::countr_zero(which);
    cells[i] = bins[i] + (bins[i] < no_cell ? first_cell : 0);
  }
}

constexpr int few = 8;
// Cells are counted from 3 on, behind no_cell, nan and outside, which are 0, 1 and 2 then: no branch, no bound to ask.
constexpr std::uint32_t specials = 3;
static_assert(no_cell + specials == 0);

}  // namespace

void SampleCells::find(std::size_t first, std::span<std::uint32_t> cells, plan::Isa isa) const {
  EXPECTS(first % word_bits == 0 && first + cells.size() <= bins_.size());
  const auto put_many = put_of(isa);
  std::ranges::fill(cells, no_cell);
  for (std::size_t i = 0; i < cells.size(); i += word_bits) {
    const auto word = (first + i) / word_bits;
    const auto* const bins = bins_.data() + first + i;
    const auto here = cells.size() - i;
    auto left = here < word_bits ? bits_[word] & ((std::uint64_t{1} << here) - 1) : bits_[word];
    const auto set = [&](std::uint64_t which, std::uint32_t first_cell) {
      if (here < word_bits || std::popcount(which) < few)
        put_few(which, bins, first_cell, cells.data() + i);
      else
        put_many(which, bins, first_cell, cells.data() + i);
    };
    if (classes_.empty()) set(left, 0);
    for (std::uint32_t c = 0; c < classes_.size() && left != 0; ++c) {
      const auto mine = left & classes_[c][word];
      if (mine != 0) set(mine, c * bins_of_class_);
      left &= ~mine;
    }
  }
}

CellCounts count_cells(const SampleCells& cells, std::size_t size) {
  // Two tables in turn: neighbours are often of one cell, and a count that waits for the last one of it takes five
  // times as long.
  std::vector<std::uint64_t> counts(size + specials), odd(size + specials);
  cells.each([&](std::size_t, std::span<const std::uint32_t> some) {
    std::size_t i = 0;
    for (; i + 1 < some.size(); i += 2) {
      ++counts[some[i] + specials];
      ++odd[some[i + 1] + specials];
    }
    if (i < some.size()) ++counts[some[i] + specials];
  });
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += odd[i];
  CellCounts found{{counts.begin() + specials, counts.end()}, counts[1], counts[2]};
  return found;
}

/// What is no cell is counted, too, behind them.
std::vector<std::uint64_t> count_cells(std::span<const std::uint16_t> cells, std::size_t size) {
  std::vector<std::uint64_t> counts(size + 1), odd(size + 1);
  std::size_t i = 0;
  for (; i + 1 < cells.size(); i += 2) {
    ++counts[cells[i]];
    ++odd[cells[i + 1]];
  }
  if (i < cells.size()) ++counts[cells[i]];
  for (std::size_t cell = 0; cell < size; ++cell) counts[cell] += odd[cell];
  counts.pop_back();
  return counts;
}

std::vector<std::uint16_t> numbered(const SampleCells& cells, const std::vector<std::uint16_t>& numbers,
                                    std::uint16_t none) {
  std::vector<std::uint16_t> table(specials, none);
  table.insert(table.end(), numbers.begin(), numbers.end());
  std::vector<std::uint16_t> all(cells.size());
  cells.each([&](std::size_t first, std::span<const std::uint32_t> some) {
    auto* const out = all.data() + first;
    const auto* const number = table.data();
    for (std::size_t i = 0; i < some.size(); ++i) out[i] = number[some[i] + specials];
  });
  return all;
}

}  // namespace headrace::data::selection
