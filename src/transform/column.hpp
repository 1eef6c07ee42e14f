// One column of an item, compiled: from the cells of a block of valid records to finished values. Immutable; any
// thread.
#pragma once

#include <cstddef>
#include <memory>

#include "transform/cells.hpp"
#include "transform/field_spec.hpp"

namespace headrace::transform {

class Column {
 public:
  virtual ~Column() = default;
  /// Finished values of n <= block_values records, one after another; out need not be aligned. Throws BadElement.
  virtual void finish(const Records& records, std::size_t n, std::byte* out) const = 0;
  /// Values after step 4, of an item without plugin. Throws BadElement.
  virtual void measure(const Records& records, std::size_t n, double* out) const = 0;
};

/// A column of numbers that some or no operation makes numbers of the field's type. Throws UsageError.
std::unique_ptr<Column> make_column(const ColumnSpec& column, DType to, Overflow overflow);

/// Neither its values nor their type change: at most their byte order.
bool is_copy(const ColumnSpec& column, DType to);

/// Values are computed in floats (else they are only cast, and integers stay integers).
bool computes(const ColumnSpec& column, bool has_plugin);

/// Computed values are float64 where no dtype is given, and where a plugin sees them, not float32: sources of 64 bits.
bool wide(const ColumnSpec& column);

/// It is computed in float64, not float32: its source has more than the 24 bits of float32, or the field is float64, or
/// of integers that float32 does not hold.
bool computed_wide(const ColumnSpec& column, DType to);

/// cast() that throws BadElement.
template <class W>
void cast_or_throw(W* values, std::size_t n, DType to, Overflow overflow, std::byte* out);

}  // namespace headrace::transform
