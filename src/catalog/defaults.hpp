// Which datasets are fields where nobody names any. docs/reference/fields.md tells the rules.
#pragma once

#include <string>

#include "h5/dataset.hpp"

namespace headrace::catalog {

/// Why a dataset that could be a field is none unless it is named: what libraries keep beside the data for themselves,
/// dimensions, indices and axes. "" if it may be one.
std::string set_aside(const h5::DatasetInfo& dataset);

}  // namespace headrace::catalog
