// In which types the values of a column are computed. Pure; any thread.
#pragma once

#include "transform/field_spec.hpp"

namespace headrace::transform {

/// Values are computed in floats (else they are only cast, and integers stay integers).
bool computes(const ColumnSpec& column, bool has_plugin);

/// Computed values are float64 where no dtype is given, and where a plugin sees them, not float32: sources of 64 bits.
bool wide(const ColumnSpec& column);

/// It is computed in float64, not float32: its source has more than the 24 bits of float32, or the field is float64, or
/// of integers that float32 does not hold.
bool computed_wide(const ColumnSpec& column, DType to);

}  // namespace headrace::transform
