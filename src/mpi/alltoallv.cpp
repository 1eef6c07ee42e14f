#include "mpi/alltoallv.hpp"

#include "base/narrow.hpp"

namespace headrace::mpi {

double time_alltoallv(const Comm& comm, const std::vector<bool>& to, std::size_t bytes, std::size_t rounds) {
  std::vector<int> counts, displacements;
  std::size_t total = 0;
  for (const bool wanted : to) {
    counts.push_back(wanted ? narrow<int>(bytes) : 0);
    displacements.push_back(narrow<int>(total));
    total += wanted ? bytes : 0;
  }
  const std::vector<std::byte> out(total, std::byte{1});
  std::vector<std::byte> in(total, std::byte{2});
  comm.barrier();
  const double begin = MPI_Wtime();
  for (std::size_t round = 0; round < rounds; ++round)
    check(MPI_Alltoallv(out.data(), counts.data(), displacements.data(), MPI_BYTE, in.data(), counts.data(),
                        displacements.data(), MPI_BYTE, comm.handle()),
          "MPI_Alltoallv");
  return comm.max(MPI_Wtime() - begin);
}

}  // namespace headrace::mpi
