// How values stand in the raw rows that the reader delivers.
//
//   row      | record | record | ...      `records` of them: the positions of the track axes, row-major
//   record   | ..cell....cell.. |          `bytes` long: a compound, or the run of values along the last axis
//   ragged   { length, pointer }           a row is 16 bytes that lead to its records: as HDF5 hands over
//                                          variable-length data
//
// Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/dtype.hpp"

namespace headrace::transform {

/// What kind of value a cell holds.
enum class CellKind {
  number,        ///< of its dtype and byte order; bool: any nonzero byte is true
  text,          ///< `bytes` characters, less what ends or pads them
  text_pointer,  ///< a const char* to NUL-ended text; null: empty
};

/// Where a text of a fixed number of characters ends, as its file says.
enum class TextEnd {
  first_nul,  ///< before it, or with the last character
  nuls,       ///< before the NULs that it is padded with
  spaces,     ///< before the spaces that it is padded with
};

struct Cell {
  CellKind kind = CellKind::number;
  DType dtype = DType::float32;
  bool big_endian = false;
  std::uint64_t offset = 0;  ///< within the record
  std::uint64_t bytes = 4;   ///< of the value (of the pointer, where it is one)
  TextEnd ends = TextEnd::first_nul;
  /// A float64 that stands as two 32-bit integers: seconds in the high half, microseconds in the low one.
  bool timeval = false;
  bool operator==(const Cell&) const = default;
};

struct RawRows {
  std::uint64_t records = 1;  ///< per row; ignored where ragged
  std::uint64_t record_bytes = 4;
  bool ragged = false;

  /// Bytes from one row to the next.
  std::uint64_t row_bytes() const { return ragged ? 16 : records * record_bytes; }
  bool operator==(const RawRows&) const = default;
};

/// What a row of variable-length data is in memory (HDF5's hvl_t).
struct Ragged {
  std::size_t length;
  const std::byte* data;
};
static_assert(sizeof(Ragged) == 16);

}  // namespace headrace::transform
