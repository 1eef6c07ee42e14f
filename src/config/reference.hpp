// The table of keys and the commands' flags as JSON: what `headrace help --json` prints, and docs/ is written from.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "config/command_line.hpp"

namespace headrace::config {

/// {"version", "keys": [{"name", "in", "kind", ...}], "commands": [{"name", "usage", "flags": [...], ...}]}
nlohmann::json reference(const std::string& version, const std::vector<Command>& commands);

}  // namespace headrace::config
