// Integers of 64 bits that are only shifted and scaled. float64 holds 53 bits of them, so the shift is subtracted
// before they become floats: what is near it keeps all of its digits. Immutable; any thread.
#pragma once

#include <memory>

#include "transform/column.hpp"
#include "transform/field_spec.hpp"

namespace headrace::transform {

/// Whether such a column is all that there is to it.
bool shifts_integers(const ColumnSpec& column);

/// Throws UsageError where shift or scale make no sense.
std::unique_ptr<Column> make_shifted_integers(const ColumnSpec& column, DType to, Overflow overflow);

}  // namespace headrace::transform
