// Raw exchange of bytes between all ranks: the limit that bench measures the service's exchange against.
#pragma once

#include <cstddef>
#include <vector>

#include "mpi/comm.hpp"

namespace headrace::mpi {

/// Collective: `rounds` calls of MPI_Alltoallv with `bytes` to each rank for which `to` is true (the same on both
/// sides of a pair). Buffers are made and touched before the clock starts. Returns the seconds of the slowest rank.
double time_alltoallv(const Comm& comm, const std::vector<bool>& to, std::size_t bytes, std::size_t rounds);

}  // namespace headrace::mpi
