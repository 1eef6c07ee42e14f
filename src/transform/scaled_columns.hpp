// Columns of one float type that are only scaled, each its own way: the values of whole records are worked on side by
// side, not column by column, so that memory is passed over once and loops become vector code. Immutable; any thread.
//
// It only does what goes well. A value that has to be refused or saturated, and who is to be told, is left to the way
// column by column.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "transform/cells.hpp"
#include "transform/field_spec.hpp"

namespace headrace::transform {

class ScaledColumns {
 public:
  virtual ~ScaledColumns() = default;
  /// Finished records, one after another, to n x columns values; out need not be aligned. n x columns <= block_values.
  /// Whether all went well; else `out` means nothing.
  virtual bool finish(const Records& records, std::size_t n, std::byte* out) const = 0;
};

/// Null where something else happens to one of the columns (float32 that becomes float64 among it, which is computed in
/// float64), or where there is only one.
std::unique_ptr<ScaledColumns> make_scaled_columns(const std::vector<ColumnSpec>& columns, DType to);

}  // namespace headrace::transform
