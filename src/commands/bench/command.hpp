// `headrace bench`: the service against the limits of this machine.
#pragma once

#include "config/command_line.hpp"

namespace headrace::commands::bench {

config::Command bench_command();

}  // namespace headrace::commands::bench
