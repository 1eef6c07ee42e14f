#include "transform/column_types.hpp"

namespace headrace::transform {
namespace {

bool is_float(DType type) {
  return type >= DType::float16;
}

DType stored(const ColumnSpec& column) {
  return column.cf && column.cf->read_as ? *column.cf->read_as : column.cell.dtype;
}

}  // namespace

bool computes(const ColumnSpec& column, bool has_plugin) {
  return column.cf || column.log || column.tanh_log || column.scaled || has_plugin;
}

bool wide(const ColumnSpec& column) {
  return column.cf ? column.cf->dtype == DType::float64 : size_of(stored(column)) == 8;
}

bool computed_wide(const ColumnSpec& column, DType to) {
  const auto from = stored(column);
  const bool integers = !is_float(from) && !is_float(to) && size_of(to) >= 4;
  return to == DType::float64 || size_of(from) == 8 || (size_of(from) == 4 && !is_float(from)) || integers ||
         (column.cf && column.cf->dtype == DType::float64);
}

}  // namespace headrace::transform
