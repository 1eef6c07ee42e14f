// Which loop a column of numbers takes: copied, cast, shifted as integers, or computed. Pure; any thread.
#pragma once

#include <memory>

#include "transform/column.hpp"
#include "transform/field_spec.hpp"

namespace headrace::transform {

/// A column of numbers that some or no operation makes numbers of the field's type. Throws UsageError.
std::unique_ptr<Column> make_column(const ColumnSpec& column, DType to, Overflow overflow);

/// Neither its values nor their type change: at most their byte order.
bool is_copy(const ColumnSpec& column, DType to);

}  // namespace headrace::transform
