// Which types field values have where none is given.
#include <array>
#include <utility>

#include "base/error.hpp"
#include "transform/column_types.hpp"
#include "transform/field_spec.hpp"

namespace headrace::transform {
namespace {

enum class Family { boolean, unsigned_integer, signed_integer, floating };

Family family(DType type) {
  if (type == DType::boolean) return Family::boolean;
  if (type >= DType::float16) return Family::floating;
  return type >= DType::uint8 ? Family::unsigned_integer : Family::signed_integer;
}

DType signed_of(std::size_t bytes) {
  return bytes == 1 ? DType::int8 : bytes == 2 ? DType::int16 : bytes == 4 ? DType::int32 : DType::int64;
}

/// The least float that holds the integers of so many bytes, by NumPy's rule.
DType float_for(std::size_t bytes) {
  return bytes == 1 ? DType::float16 : bytes == 2 ? DType::float32 : DType::float64;
}

DType of_floats(DType a, DType b) {
  if (size_of(a) != size_of(b)) return size_of(a) > size_of(b) ? a : b;
  return a == b ? a : DType::float32;  // the two of 16 bits
}

}  // namespace

DType result_type(DType a, DType b) {
  if (a == b) return a;
  auto fa = family(a), fb = family(b);
  if (fa > fb) {
    std::swap(a, b);
    std::swap(fa, fb);
  }
  if (fa == Family::boolean) return b;
  if (fb == Family::floating) {
    if (fa == Family::floating) return of_floats(a, b);
    return size_of(a) == 1 ? b : of_floats(float_for(size_of(a)), b);
  }
  if (fa == fb) return size_of(a) > size_of(b) ? a : b;
  if (size_of(a) < size_of(b)) return b;  // an unsigned one within a greater signed one
  return size_of(a) == 8 ? DType::float64 : signed_of(2 * size_of(a));
}

DType natural_dtype(const ColumnSpec& column, bool has_plugin) {
  if (column.cell.kind != CellKind::number) return DType::int64;  // a text's class
  if (column.cf) return column.cf->dtype;
  const auto stored = column.cell.dtype;
  if (family(stored) == Family::floating || !computes(column, has_plugin)) return stored;
  return wide(column) ? DType::float64 : DType::float32;
}

}  // namespace headrace::transform
