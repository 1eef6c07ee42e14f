// Files opened for reading, with errors that a person can act on.
#pragma once

#include <string>

#include "h5/handle.hpp"
#include "mpi/comm.hpp"

namespace headrace::h5 {

/// Opens a file for this process alone. Errors tell apart: a missing file, a directory, a FIFO or device (which is
/// never waited for), no permission, NetCDF-3, something that is no HDF5 file, parts of a family or split file, a file
/// locked or being written, one of a newer format, a truncated one.
File open_file(const std::string& path);

/// Collective: opens a file through MPI-IO, with collective reads of its metadata. All ranks leave alike.
File open_collective(const mpi::Comm& comm, const std::string& path);

}  // namespace headrace::h5
