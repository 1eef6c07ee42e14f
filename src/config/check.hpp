// What a configuration's values say together: contradictions, keys that have no effect without another, names that come
// twice. Single values were checked as they were read.
#pragma once

#include "config/value.hpp"

namespace headrace::config {

void check_fields(const Config& config, Mistakes& mistakes);
void check_streams(const Config& config, Mistakes& mistakes);

}  // namespace headrace::config
