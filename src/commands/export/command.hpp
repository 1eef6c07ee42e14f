// `headrace export`: a stream in files of other kinds: TFRecords, .npy, Zarr.
#pragma once

#include "config/command_line.hpp"

namespace headrace::commands::exporting {

config::Command export_command();

}  // namespace headrace::commands::exporting
