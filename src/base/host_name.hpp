// What this machine is called in messages.
#pragma once

#include <string>

namespace headrace {

/// "?" where it has no name.
std::string host_name();

}  // namespace headrace
