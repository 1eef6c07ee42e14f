// The two faces of what inspect found.
#pragma once

#include <string>

#include "reader/grouping.hpp"

namespace headrace::service {

std::string as_table(const reader::Contents& contents, const reader::Grouping& grouping);
std::string as_json(const reader::Contents& contents, const reader::Grouping& grouping);

}  // namespace headrace::service
