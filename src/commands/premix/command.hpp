// `headrace premix`: a stream, mixed once and for all, in an HDF5 file.
#pragma once

#include "config/command_line.hpp"

namespace headrace::commands::premix {

config::Command premix_command();

}  // namespace headrace::commands::premix
