// Reads a premixed file again and compares the checksums of its blocks. Collective.
#pragma once

#include <string>

#include "mpi/comm.hpp"

namespace headrace::commands::premix {

/// Error that names the first block that is not what was written, by dataset order and rows. quiet: nothing is said
/// where all is well.
void verify(const mpi::Comm& all, const std::string& path);

}  // namespace headrace::commands::premix
