// Columns of an inventory's table that fields take, and that are texts where the user may have meant numbers. Pure.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "config/config.hpp"

namespace headrace::data::selection {

/// Throws UsageError that names field, line and cell: a field that is to be numbers (scale, shift, norm, log, a dtype
/// of floats) takes a column of texts. Nothing is said of what is no inventory.
void require_numbers(const config::Config& config, const catalog::Contents& contents);

/// Beginning with "[field.NAME]": columns most of whose cells are numbers, and which are texts for one that is not.
std::vector<std::string> warnings_of_table(const config::Config& config, const catalog::Contents& contents);

}  // namespace headrace::data::selection
