// A value that cannot be delivered, with the row and record that hold it. Plain values.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace headrace::transform {

/// A value that breaks a promise. The caller knows which sample of which file the row is, and says so.
struct BadValue : std::runtime_error {
  BadValue(std::uint64_t row_, std::uint64_t record_, std::string column_, const std::string& what)
      : std::runtime_error(what), row(row_), record(record_), column(std::move(column_)) {}
  std::uint64_t row;     ///< of the rows passed
  std::uint64_t record;  ///< within the row
  std::string column;
};

}  // namespace headrace::transform
