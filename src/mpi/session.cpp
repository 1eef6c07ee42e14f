#include "mpi/session.hpp"

#include <array>
#include <cstdlib>
#include <utility>

#include "mpi/check.hpp"

namespace headrace::mpi {

namespace {

void set_defaults() {
  constexpr std::array<std::pair<const char*, const char*>, 2> defaults{{
      {"OMPI_MCA_mpi_yield_when_idle", "1"},  // blocking calls give way to the trainers on shared cores
      {"HDF5_USE_FILE_LOCKING", "FALSE"},     // input is only read, and parallel file systems often refuse locks
  }};
  for (const auto& [name, value] : defaults) ::setenv(name, value, 0);
  // A singleton needs no daemon of its own, since it never spawns processes through MPI.
  if (!Session::launched()) ::setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
}

}  // namespace

Session::Session() {
  set_defaults();
  int provided = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_FUNNELED) {
    MPI_Finalize();
    throw Error("this MPI library supports no threads beside the main one (MPI_THREAD_FUNNELED); use another build");
  }
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

Session::~Session() {
  MPI_Finalize();
}

bool Session::launched() {
  // Set by Open MPI's mpirun, by PMIx (srun --mpi=pmix, prterun), and by PMI-1 and PMI-2 launchers (MPICH, Slurm).
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS"})
    if (std::getenv(name) != nullptr) return true;
  return false;
}

void Session::abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

}  // namespace headrace::mpi
