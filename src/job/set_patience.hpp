// How long the stagers of this process wait for each other, as the configuration says (start-timeout).
#pragma once

#include "config/config.hpp"

namespace headrace::job {

/// Before MPI starts.
void set_patience(const config::Config& config);

}  // namespace headrace::job
