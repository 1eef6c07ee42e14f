// One column of an item, compiled: from the cells of a block of valid records to finished values. Immutable; any
// thread.
#pragma once

#include <cstddef>

#include "transform/cells.hpp"

namespace headrace::transform {

class Column {
 public:
  virtual ~Column() = default;
  /// Finished values of n <= block_values records, one after another; out need not be aligned. Throws BadElement.
  virtual void finish(const Records& records, std::size_t n, std::byte* out) const = 0;
  /// Values after step 4, of an item without plugin. Throws BadElement.
  virtual void measure(const Records& records, std::size_t n, double* out) const = 0;
};

}  // namespace headrace::transform
