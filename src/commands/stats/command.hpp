// `headrace stats`: measures shifts and scales.
#pragma once

#include "config/command_line.hpp"

namespace headrace::commands::stats {

config::Command stats_command();

}  // namespace headrace::commands::stats
