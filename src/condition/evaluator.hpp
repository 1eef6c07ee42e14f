// What a condition is worth for a run of samples. Stateless; any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "condition/column_values.hpp"
#include "condition/tree.hpp"

namespace headrace::condition {

/// keep[i] for samples [begin, begin + n) of the columns. Throws UsageError where texts and numbers are mixed (whatever
/// n is) and where integers grow beyond 128 bits.
void evaluate(std::string_view text, const Expression& root, const std::vector<ColumnValues>& columns,
              std::size_t begin, std::size_t n, std::uint8_t* keep);

}  // namespace headrace::condition
