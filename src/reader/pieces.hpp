// Which rows of which file: intervals of samples cut at the borders of files.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "catalog/catalog.hpp"

namespace headrace::reader {

struct Interval {
  std::uint64_t first = 0, last = 0;  ///< samples [first, last)
};

/// Rows [row, row + rows) of a file, which are the samples from `sample` on.
struct Piece {
  std::uint64_t row = 0, rows = 0, sample = 0;
  bool operator==(const Piece&) const = default;
};

/// The part of the intervals that lies in this file, ascending.
std::vector<Piece> pieces_in(const catalog::FileInfo& file, std::span<const Interval> intervals);

/// The piece cut so that no part has more than `most` rows (at least 1) and inner borders stand at multiples of
/// `align` rows of the file where `most` allows it.
std::vector<Piece> cut(const Piece& piece, std::uint64_t most, std::uint64_t align = 1);

}  // namespace headrace::reader
