// How long the stagers of this process wait for each other, as the configuration says (start-timeout).
#pragma once

#include "service/config.hpp"

namespace headrace::service {

/// Before MPI starts.
void set_patience(const Config& config);

}  // namespace headrace::service
