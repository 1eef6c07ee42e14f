// The two faces of what inspect found.
#pragma once

#include <string>

#include "reader/grouping.hpp"

namespace headrace::commands::inspect {

/// all: each dataset has a line of its own; else long lists are folded.
std::string as_table(const reader::Contents& contents, const reader::Grouping& grouping, bool all);
std::string as_json(const reader::Contents& contents, const reader::Grouping& grouping);

}  // namespace headrace::commands::inspect
