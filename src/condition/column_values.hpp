// What a condition is asked about: the values of columns, and what is said of one that cannot be. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace headrace::condition {

/// Values of one column, one per sample.
using ColumnValues =
    std::variant<std::vector<std::int64_t>, std::vector<std::uint64_t>, std::vector<double>, std::vector<std::string>>;

/// A value that the condition cannot be asked about, and whose: the place among the values that were given.
struct ConditionValueError : UsageError {
  ConditionValueError(const std::string& what, std::size_t row_) : UsageError(what), row(row_) {}
  std::size_t row;
};

}  // namespace headrace::condition
