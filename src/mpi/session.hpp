// MPI from start to end. Made once, by the main thread, which alone calls MPI afterwards (MPI_THREAD_FUNNELED).
#pragma once

#include <string>

#include "mpi/leftovers.hpp"
#include "mpi/lone_folder.hpp"

namespace headrace::mpi {

class Session {
 public:
  /// Sets defaults in the environment (what the user has set stays), then starts MPI, watched (watch.hpp): it waits for
  /// every process of the job.
  Session();
  /// Collective: ends MPI. Where an exception is under way that the ranks did not agree on, the others would wait
  /// here for ever: end such a process with abort().
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Of this process in the job, and how many there are.
  static int rank();
  static int size();
  /// Ends all ranks of the job.
  [[noreturn]] static void abort(int exit_code);

 private:
  const std::string folder_;  ///< of shared memory, where it is this run's alone
  Mark mark_;
  LoneFolder lone_;
};

}  // namespace headrace::mpi
