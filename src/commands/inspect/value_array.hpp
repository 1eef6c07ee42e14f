// An array as people are shown it. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "condition/column_values.hpp"

namespace headrace::commands::inspect {

/// Values with a shape, row-major.
struct ValueArray {
  std::string name;  ///< of a raw array: "jets.pt"
  std::string type;  ///< "float32", "float64 (big-endian)"
  std::vector<std::uint64_t> shape;
  condition::ColumnValues values;
};

}  // namespace headrace::commands::inspect
