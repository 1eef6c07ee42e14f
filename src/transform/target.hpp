// Where the finished values of an item stand in the rows of its field. Plain values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "transform/field_spec.hpp"
#include "transform/fill.hpp"
#include "transform/record_walk.hpp"

namespace headrace::transform {

struct Target {
  DType dtype = DType::float32;
  std::size_t size = 4;            ///< of one value
  std::uint64_t records = 1;       ///< per row
  std::uint64_t record_bytes = 4;  ///< of the field's record
  std::uint64_t offset = 0;        ///< of the item's first column within it
  std::uint64_t bytes = 4;         ///< of the item's columns within it
  bool repeated = false;           ///< one value per row, to all of its records
  Overflow overflow = Overflow::error;
  bool truncate = false;
  Fill fill{};

  std::uint64_t row_bytes() const { return records * record_bytes; }
};

/// Copies block.n pieces of `bytes`, one after another at `from`, to `column` bytes after the item's first column.
/// valid: of all copies of a repeated value; may be null.
void place(const Target& target, const std::byte* from, std::size_t bytes, const Block& block, std::uint64_t column,
           const std::byte* valid, std::byte* out);

/// Writes the fill value to the item's columns of some records.
void clear(const Target& target, std::uint64_t first_record, std::uint64_t records, std::byte* out);

}  // namespace headrace::transform
