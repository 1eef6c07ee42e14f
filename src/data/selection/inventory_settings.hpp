// What the configuration says of an inventory, as that takes it, and what of its table the fields cannot take as they
// mean to. Pure.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "inventory/settings.hpp"

namespace headrace::data::selection {

inventory::Settings inventory_settings(const config::Config& config);

/// Throws UsageError that names field, line and cell: a field that is to be numbers (scale, shift, norm, log, a dtype
/// of floats) takes a column of texts. Nothing is said of what is no inventory.
void require_numbers(const config::Config& config, const catalog::Contents& contents);

/// Beginning with "[field.NAME]": columns most of whose cells are numbers, and which are texts for one that is not.
std::vector<std::string> warnings_of_table(const config::Config& config, const catalog::Contents& contents);

}  // namespace headrace::data::selection
