// `headrace bench`: the service with built-in trainers, and what the machine allows, measured in the same run.
#pragma once

#include "commands/bench/options.hpp"
#include "config/config.hpp"

namespace headrace::commands::bench {

/// Collective over all ranks of the job. Returns the exit code.
int bench(config::Config config, const BenchOptions& options);

}  // namespace headrace::commands::bench
