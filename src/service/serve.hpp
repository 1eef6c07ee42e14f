// `headrace serve`: the service from first to last.
#pragma once

#include "config/config.hpp"

namespace headrace::service {

/// Serves until all epochs are consumed, all trainers have said goodbye, or it is stopped. Collective over all ranks of
/// the job. Returns the exit code: 0, or 1 where something failed (its message is printed, once).
int serve(const config::Config& config);

}  // namespace headrace::service
