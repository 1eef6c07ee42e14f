// Cells that are labels, to codes: an index, or a one among zeros. Immutable; any thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "transform/cells.hpp"
#include "transform/column.hpp"
#include "transform/label_map.hpp"

namespace headrace::transform {

/// Finished values of a record are one index, or as many as there are classes. measure() is not for labels.
std::unique_ptr<Column> make_labels(const Cell& cell, std::shared_ptr<const LabelMap> labels, bool one_hot, DType to);

/// Adds how often each value occurs: integers in decimal, or texts.
void count_labels(const Cell& cell, const Records& records, std::size_t n,
                  std::map<std::string, std::uint64_t>& counts);

}  // namespace headrace::transform
