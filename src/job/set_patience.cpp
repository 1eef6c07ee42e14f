#include "job/set_patience.hpp"

#include <algorithm>

#include "mpi/patience.hpp"

namespace headrace::job {

void set_patience(const config::Config& config) {
  auto& patience = mpi::patience();
  patience.limit_s = config.start_timeout;
  if (config.start_timeout > 0) patience.tell_after_s = std::min(patience.tell_after_s, config.start_timeout / 2);
}

}  // namespace headrace::job
