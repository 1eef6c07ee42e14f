// Writes a stream into a folder of files. Collective over the job's processes; the thread that owns MPI.
#pragma once

#include "commands/writing/orders.hpp"
#include "config/outputs.hpp"

namespace headrace::commands::exporting {

/// The exit code: 1 where it was interrupted. Errors name what is wrong.
int export_stream(const config::OutputConfig& config, const writing::Orders& orders);

}  // namespace headrace::commands::exporting
