// One cell of many records, loaded to a contiguous buffer: any type, byte order, distance and alignment. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "transform/raw.hpp"

namespace headrace::transform {

/// Values that pass through the steps at once: their buffers stay in the first-level cache.
constexpr std::size_t block_values = 2048;

/// Where records stand: evenly spaced, or one by one.
struct Records {
  const std::byte* first = nullptr;
  std::uint64_t stride = 0;
  const std::byte* const* each = nullptr;  ///< where it is set, the others are not used

  const std::byte* operator[](std::size_t i) const { return each != nullptr ? each[i] : first + i * stride; }
};

/// The cells as they are, in native byte order; bool as 0 and 1. out: n x size_of(dtype) bytes, any alignment.
void gather(const Cell& cell, const Records& records, std::size_t n, std::byte* out);

/// The cells' values, n <= block_values. W: float or double for every number; std::int64_t and std::uint64_t for
/// integers and bool (each for those that it holds).
template <class W>
void load(const Cell& cell, const Records& records, std::size_t n, W* out);

/// Where the values stand one after another already, in native byte order; null where they don't.
const std::byte* contiguous(const Cell& cell, const Records& records);

/// valid[i] = 1 where the cell is not zero.
void load_nonzero(const Cell& cell, const Records& records, std::size_t n, std::uint8_t* valid);

/// A text cell without what ends or pads it; other NULs and spaces belong to it.
std::string_view load_text(const Cell& cell, const std::byte* record);

}  // namespace headrace::transform
