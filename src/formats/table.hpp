// What a dataset that is written is made of: values of fields, whole or column by column, perhaps in another type.
// Plain values and pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.hpp"
#include "base/schema.hpp"
#include "h5/made/create.hpp"

namespace headrace::formats {

/// What becomes of values on their way.
enum class How {
  values,    ///< nothing
  zero_nan,  ///< NaN becomes 0
  argmax,    ///< the place of the one that is greater than all others: one value
  one,       ///< 1, whatever they are: one value
};

/// Values of one field. Record r of a row takes elements first + r * stride ... + run of the field's row.
struct Part {
  std::size_t field = 0;
  DType from = DType::float32, to = DType::float32;
  std::uint64_t first = 0, run = 1, stride = 1;
  How how = How::values;

  /// Values that come of it, per record.
  std::uint64_t made() const { return how == How::argmax || how == How::one ? 1 : run; }
};

/// A dataset; its rows consist of records, each of all parts one after another.
struct Table {
  h5::NewDataset dataset;
  std::uint64_t records = 1;  ///< of a row
  std::vector<Part> parts;

  /// Rows of the field are rows of the dataset, byte for byte.
  bool is_copy() const;
};

/// A field under this path, in its own type or another.
Table table_of(const Schema& schema, std::size_t field, const std::string& path, std::uint64_t rows,
               std::optional<DType> to = std::nullopt);

/// The rows of the dataset, from those of all fields. Error, which names the dataset and the row (first_row: number of
/// the first), where a value does not fit its type, or a label tells no class: nothing wraps or becomes infinite.
void assemble(const Table& table, const Schema& schema, std::uint64_t first_row, std::size_t rows,
              std::span<const std::byte* const> fields, std::byte* out);

/// n values of one type as another, whatever their alignment. Throws transform::numbers::BadElement.
void convert(const std::byte* from, DType type, std::size_t n, DType to, std::byte* out);

}  // namespace headrace::formats
