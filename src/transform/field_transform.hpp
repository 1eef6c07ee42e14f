// From raw rows of a file to finished rows of a field. Compiled once from a FieldSpec; stateless afterwards, so any
// thread may use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "transform/bad_value.hpp"
#include "transform/field_spec.hpp"
#include "transform/fill.hpp"
#include "transform/statistics.hpp"

namespace headrace::transform {

class Item;

class FieldTransform {
 public:
  /// Throws UsageError for operations that cannot be (labels of a float, log of text, ...), without naming the field.
  explicit FieldTransform(FieldSpec spec);

  const FieldSpec& spec() const { return spec_; }
  std::uint64_t row_bytes() const { return spec_.row_bytes(); }

  /// The raw rows of the single item are finished rows already: they may be read straight to their place.
  bool identity() const;

  /// Writes the item's columns of `rows` finished rows to `out`, where the first of these rows begins; rows stand
  /// row_bytes() apart. valid: rows x records bytes (0 or 1) where the item's validity comes from outside, else null.
  /// Neither memory needs alignment. Throws BadValue.
  void apply(std::size_t item, const std::byte* raw, std::uint64_t rows, const std::byte* valid, std::byte* out) const;

  /// The same for a single record of a join: to record `record` of the finished row at `out`.
  void apply_record(std::size_t item, const std::byte* raw, std::uint64_t record, std::byte* out) const;

  /// Writes the item's columns where it is a constant.
  void fill(std::size_t item, std::uint64_t rows, std::byte* out) const;

  /// rows x records bytes (0 or 1) of an item's own validity (record or length). Throws BadValue for a row too long.
  void validity(std::size_t item, const std::byte* raw, std::uint64_t rows, std::byte* valid) const;

  /// Step 7 for all columns: writes the fill value to the records that are not valid.
  void clear_invalid(std::uint64_t rows, const std::byte* valid, std::byte* out) const;
  /// The same for every record: of a join, before its rows come.
  void clear(std::uint64_t rows, std::byte* out) const;

  /// Adds the values as they are after step 4, valid and finite ones, to one Moments per column of the item; labels
  /// are counted instead.
  void measure(std::size_t item, const std::byte* raw, std::uint64_t rows, const std::byte* valid,
               ItemStatistics& statistics) const;
  /// The same for a single record of a join, which is record `record` of its row.
  void measure_record(std::size_t item, const std::byte* raw, std::uint64_t record, ItemStatistics& statistics) const;

 private:
  FieldSpec spec_;
  Fill fill_;
  std::vector<std::shared_ptr<const Item>> items_;
};

}  // namespace headrace::transform
