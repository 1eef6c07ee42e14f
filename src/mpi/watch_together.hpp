// What all ranks of a communicator do together inside a library that waits for ever, under a watch.
#pragma once

#include <string>

#include "mpi/comm.hpp"
#include "mpi/watch.hpp"

namespace headrace::mpi {

/// While it lives, all ranks of comm do something together: "read 'x' in a.h5". Every one speaks, so that who says
/// nothing is known to stand still.
Watch watch_together(const Comm& comm, const std::string& deed);

}  // namespace headrace::mpi
