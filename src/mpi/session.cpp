#include "mpi/session.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "mpi/check.hpp"
#include "mpi/roll_call.hpp"

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

bool is_first() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"})
    if (const char* rank = std::getenv(name)) return std::string_view(rank) == "0";
  return true;
}

/// While MPI starts, which waits for every process of the job: tells that it takes long, and ends this process where it
/// takes too long. MPI itself would wait for ever, and who is missing only the launcher knows.
class StartWatch {
 public:
  StartWatch() : thread_([this] { watch(); }) {}
  ~StartWatch() {
    {
      const std::lock_guard lock(mutex_);
      started_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  StartWatch(const StartWatch&) = delete;
  StartWatch& operator=(const StartWatch&) = delete;

 private:
  void watch() {
    const auto& [tell_after, limit, unused] = patience();
    const auto begin = std::chrono::steady_clock::now();
    const auto reached = [&](double seconds) {
      std::unique_lock lock(mutex_);
      return !changed_.wait_until(lock, begin + std::chrono::duration<double>(seconds), [this] { return started_; });
    };
    if (!reached(tell_after)) return;
    tell("waits", tell_after);
    if (limit <= 0 || !reached(std::max(limit, tell_after))) return;
    tell("did not come up; ended after waiting", limit);
    _exit(1);
  }
  static void tell(const char* what, double seconds) {
    if (!is_first()) return;
    const char* programs = std::getenv("OMPI_NUM_APP_CTX");
    const bool mixed = programs && std::string_view(programs) != "1";
    std::fprintf(stderr, "headrace: MPI %s for %.0f s: not every process of this job has called MPI_Init (%s)\n", what,
                 seconds,
                 mixed ? "there are other programs in this mpirun; trainers are no MPI programs: start them with an "
                         "mpirun of their own, without the ':'"
                       : "one of them hangs, or its node does");
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false;
  std::thread thread_;  // last: it uses the others
};

int start_mpi() {
  const StartWatch watch;
  int provided = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  return provided;
}

}  // namespace

Session::Session() {
  set_defaults();
  const int provided = start_mpi();
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
