// How the process ends, where a library could not end any more.
#pragma once

#include <atomic>

namespace headrace {

/// Set where a library is in a state in which its own end would crash the process: HDF5 after a file that it could not
/// write. Nobody ends libraries then, MPI among them, which ends HDF5: main() tells the error and leaves at once.
inline std::atomic<bool> leaves_at_once{false};

}  // namespace headrace
