#include "mpi/launcher.hpp"

#include <cstdlib>
#include <sstream>
#include <string>

namespace headrace::mpi {

namespace {

const char* first_set(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const char* value = std::getenv(name)) return value;
  return nullptr;
}

/// Of the command line that `rank` stands in, the rank of the first process: they are numbered one line after the
/// other.
long first_rank_of_line(long rank) {
  const char* sizes = std::getenv("OMPI_APP_CTX_NUM_PROCS");
  std::istringstream counts(sizes ? sizes : "");
  long first = 0, count = 0;
  while (counts >> count && first + count <= rank) first += count;
  return first;
}

}  // namespace

bool launched() {
  // Set by Open MPI's mpirun, by PMIx (srun --mpi=pmix, prterun), and by PMI-1 and PMI-2 launchers (MPICH, Slurm).
  return first_set({"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS"}) != nullptr;
}

int tasks_without_mpi() {
  const char* tasks = first_set({"SLURM_STEP_NUM_TASKS"});
  return tasks && !launched() ? std::atoi(tasks) : 0;
}

bool is_mixed() {
  const char* lines = std::getenv("OMPI_NUM_APP_CTX");
  return lines && std::atol(lines) > 1;
}

bool is_of_one_line() {
  const char* lines = std::getenv("OMPI_NUM_APP_CTX");
  return lines && std::atol(lines) == 1;
}

bool is_first() {
  const char* rank = first_set({"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"});
  return !rank || std::atol(rank) == first_rank_of_line(std::atol(rank));
}

bool is_first_of_node() {
  const char* rank = first_set({"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"});
  return !rank || std::atol(rank) == 0;
}

bool is_on_one_node() {
  if (!launched()) return true;
  const char *all = first_set({"OMPI_COMM_WORLD_SIZE"}), *here = first_set({"OMPI_COMM_WORLD_LOCAL_SIZE"});
  if (all && here) return std::atol(all) == std::atol(here);
  const char* nodes = first_set({"SLURM_STEP_NUM_NODES"});
  return nodes && std::atol(nodes) == 1;
}

}  // namespace headrace::mpi
