// Writes a stream into a file. Collective over the job's processes; the thread that owns MPI.
#pragma once

#include "commands/writing/orders.hpp"
#include "config/outputs.hpp"

namespace headrace::commands::premix {

/// The exit code: 1 where it was interrupted. Errors name what is wrong.
int premix(const config::OutputConfig& config, const writing::Orders& orders);

}  // namespace headrace::commands::premix
