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
  text,          ///< `bytes` characters, ended by NUL or padded with NULs or spaces
  text_pointer,  ///< a const char* to NUL-ended text; null: empty
};

struct Cell {
  CellKind kind = CellKind::number;
  DType dtype = DType::float32;
  bool big_endian = false;
  std::uint64_t offset = 0;  ///< within the record
  std::uint64_t bytes = 4;   ///< of the value (of the pointer, where it is one)
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
