#include "transform/field_transform.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "transform/column_types.hpp"
#include "transform/distinct_codes.hpp"
#include "transform/item.hpp"

namespace headrace::transform {
namespace {

void check_labels(const FieldSpec& field) {
  if (field.items.size() != 1 || field.items[0].columns.size() != 1)
    throw UsageError("encode takes one column (a label); name one, as in \"jets.flavour\"");
  const auto& item = field.items[0];
  const auto& column = item.columns[0];
  if (computes(column, item.plugin != nullptr))
    throw UsageError(
        fmt::format("encode: column '{}' is scaled or computed as well (labels only have codes); remove "
                    "one of the two",
                    column.name));
  EXPECTS(field.columns == (field.one_hot ? field.labels->size() : 1));
  if (!field.one_hot && field.labels->size() > distinct_codes(field.dtype))
    throw UsageError(fmt::format("dtype: {} does not tell {} classes apart; leave dtype out, or give a larger one",
                                 name_of(field.dtype), field.labels->size()));
}

void check_column(const ColumnSpec& column) {
  if (column.cell.kind != CellKind::number)
    throw UsageError(
        fmt::format("column '{}' holds texts (only numbers can be delivered); set encode = \"index\" or "
                    "\"one-hot\"",
                    column.name));
  if (!column.cf) return;
  const auto to = column.cf->dtype;
  EXPECTS(to == DType::float32 || to == DType::float64);
  EXPECTS(!column.cf->read_as || size_of(*column.cf->read_as) == size_of(column.cell.dtype));
  static_cast<void>(to);
}

}  // namespace

FieldTransform::FieldTransform(FieldSpec spec) : spec_(std::move(spec)), fill_(spec_.fill, spec_.dtype) {
  EXPECTS(spec_.records > 0 && spec_.columns > 0);
  if (spec_.labels) check_labels(spec_);
  for (const auto& item : spec_.items) {
    if (!spec_.labels && !item.constant)
      for (const auto& column : item.columns) check_column(column);
    items_.push_back(std::make_shared<const Item>(spec_, item));
  }
}

bool FieldTransform::identity() const {
  return items_.size() == 1 && items_[0]->identity();
}

void FieldTransform::apply(std::size_t item, const std::byte* raw, std::uint64_t rows, const std::byte* valid,
                           std::byte* out) const {
  items_[item]->apply(raw, rows, valid, out);
}

void FieldTransform::apply_record(std::size_t item, const std::byte* raw, std::uint64_t record, std::byte* out) const {
  items_[item]->apply_record(raw, record, out);
}

void FieldTransform::fill(std::size_t item, std::uint64_t rows, std::byte* out) const {
  items_[item]->fill(rows, out);
}

void FieldTransform::validity(std::size_t item, const std::byte* raw, std::uint64_t rows, std::byte* valid) const {
  items_[item]->validity(raw, rows, valid);
}

void FieldTransform::clear_invalid(std::uint64_t rows, const std::byte* valid, std::byte* out) const {
  const auto record_bytes = spec_.columns * size_of(spec_.dtype);
  for (std::uint64_t r = 0; r < rows * spec_.records; ++r)
    if (valid[r] == std::byte{0}) fill_.write(out + r * record_bytes, record_bytes);
}

void FieldTransform::clear(std::uint64_t rows, std::byte* out) const {
  fill_.write(out, rows * spec_.row_bytes());
}

void FieldTransform::measure(std::size_t item, const std::byte* raw, std::uint64_t rows, const std::byte* valid,
                             ItemStatistics& statistics) const {
  items_[item]->measure(raw, rows, valid, statistics);
}

void FieldTransform::measure_record(std::size_t item, const std::byte* raw, std::uint64_t record,
                                    ItemStatistics& statistics) const {
  items_[item]->measure_record(raw, record, statistics);
}

}  // namespace headrace::transform
