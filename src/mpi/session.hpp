// MPI from start to end. Made once, by the main thread, which alone calls MPI afterwards (MPI_THREAD_FUNNELED).
#pragma once

namespace headrace::mpi {

class Session {
 public:
  /// Sets defaults in the environment (what the user has set stays), then starts MPI: with patience() (roll_call.hpp)
  /// for processes of the job that do not come, after which this process ends with exit code 1.
  Session();
  /// Collective: ends MPI. Where an exception is under way that the ranks did not agree on, the others would wait
  /// here for ever: end such a process with abort().
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Started by mpirun, srun or another launcher? Otherwise this process is a job of one rank.
  static bool launched();
  /// Ends all ranks of the job.
  [[noreturn]] static void abort(int exit_code);
};

}  // namespace headrace::mpi
