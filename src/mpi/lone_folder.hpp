// The session folder that Open MPI 5 makes for a process without an mpirun, and leaves behind, empty:
// TMPDIR/ompi.HOST.USER/jf.0/NUMBER. What was not there before MPI started, and is empty when it has ended, goes.
//
// The thread that owns MPI.
#pragma once

#include <string>
#include <vector>

namespace headrace::mpi {

class LoneFolder {
 public:
  /// Before MPI starts.
  void look_before();
  /// Once it is up.
  void look_after();
  /// Once it has ended. Removes nothing that holds anything.
  void remove() const noexcept;

 private:
  std::vector<std::string> before_, ours_;
};

}  // namespace headrace::mpi
