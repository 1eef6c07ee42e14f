// The two faces of what inspect found.
#pragma once

#include <string>

#include "catalog/grouping.hpp"

namespace headrace::commands::inspect {

/// all: each dataset has a line of its own; else long lists are folded.
std::string as_table(const catalog::Contents& contents, const catalog::Grouping& grouping, bool all);
std::string as_json(const catalog::Contents& contents, const catalog::Grouping& grouping);

}  // namespace headrace::commands::inspect
