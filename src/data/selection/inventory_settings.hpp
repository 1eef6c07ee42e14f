// What the configuration says of an inventory, as that takes it. Pure.
#pragma once

#include "config/config.hpp"
#include "inventory/settings.hpp"

namespace headrace::data::selection {

inventory::Settings inventory_settings(const config::Config& config);

}  // namespace headrace::data::selection
