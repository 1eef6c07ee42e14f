#include "reader/pieces.hpp"

#include <algorithm>

namespace headrace::reader {

std::vector<Piece> pieces_in(const catalog::FileInfo& file, std::span<const Interval> intervals) {
  std::vector<Piece> pieces;
  const auto last_of_file = file.first_sample + file.samples;
  for (const auto& interval : intervals) {
    const auto first = std::max(interval.first, file.first_sample), last = std::min(interval.last, last_of_file);
    if (first < last) pieces.push_back({first - file.first_sample, last - first, first});
  }
  return pieces;
}

std::vector<Piece> cut(const Piece& piece, std::uint64_t most, std::uint64_t align) {
  most = std::max<std::uint64_t>(most, 1);
  if (align > 1 && most >= align) most -= most % align;
  std::vector<Piece> parts;
  for (std::uint64_t done = 0; done < piece.rows;) {
    const auto row = piece.row + done;
    const auto over = align > 1 && most >= align ? row % align : 0;  // the first part ends where chunks do
    const auto rows = std::min(piece.rows - done, most - over);
    parts.push_back({row, rows, piece.sample + done});
    done += rows;
  }
  return parts;
}

}  // namespace headrace::reader
