// `headrace pack`.
#pragma once

#include "config/command_line.hpp"

namespace headrace::commands::pack {

config::Command pack_command();

}  // namespace headrace::commands::pack
