// `headrace inspect`: what files hold, and what a configuration makes of them.
#pragma once

#include "config/command_line.hpp"

namespace headrace::commands::inspect {

config::Command inspect_command();

}  // namespace headrace::commands::inspect
