// Which rows of a virtual dataset its parts fill. Pure arithmetic.
#pragma once

#include <cstdint>
#include <vector>

#include "h5/virtual_map.hpp"

namespace headrace::catalog {

/// Rows [first, last).
struct RowRun {
  std::uint64_t first = 0, last = 0;
  bool operator==(const RowRun&) const = default;
};

/// Ascending, disjoint, and neighbours joined.
std::vector<RowRun> joined(std::vector<RowRun> runs);
std::uint64_t count_rows(const std::vector<RowRun>& joined);

/// The rows that a part touches, of a dataset of these dims.
std::vector<RowRun> rows_of(const h5::VirtualPart& part, const std::vector<std::uint64_t>& dims);

/// The rows of which some element is in no part.
std::vector<RowRun> uncovered(const std::vector<h5::VirtualPart>& parts, const std::vector<std::uint64_t>& dims);

}  // namespace headrace::catalog
