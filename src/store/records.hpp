// How rows stand in a scratch file: all fields of a sample side by side, so that one read of the disk brings them.
//
//   record      | field 0 | field 1 | field 2 |....|      .... up to the stride
//   file        | record 0 | record 1 | ...               stride: whole sectors of 512 bytes; below 2 KB, words of 8
//
// Small records share sectors: whole ones would take several times the room, and the disk's operations bind there
// whatever a record takes. Pure; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/schema.hpp"

namespace headrace::store {

class Records {
 public:
  static constexpr std::uint64_t page = 4096;  ///< pieces that are written begin and end at multiples of it

  Records() = default;
  Records(const Schema& schema, std::uint64_t rows);

  std::uint64_t rows() const { return rows_; }
  std::uint64_t stride() const { return stride_; }
  /// Of one record, without what fills the stride.
  std::uint64_t bytes() const { return fields_.back(); }
  /// Of the file, in whole pages.
  std::uint64_t file_bytes() const;
  std::uint64_t at(std::uint64_t row) const { return row * stride_; }
  /// Where each field begins in a record, and the end.
  const std::vector<std::uint64_t>& fields() const { return fields_; }
  /// Rows of pieces of about so many bytes that all begin at whole pages.
  std::uint64_t rows_a_piece(std::uint64_t piece_bytes) const;

 private:
  std::uint64_t rows_ = 0, stride_ = 0;
  std::vector<std::uint64_t> fields_{0};
};

}  // namespace headrace::store
