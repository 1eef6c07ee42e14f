// Where Open MPI puts the session folder of a process without an mpirun: in a folder of its own, so that two which begin
// and end in the same moment do not take away what the other is about to write in (MPI_Init then ends the process), and
// nothing stays: Open MPI 5 leaves it behind.
//
//   TMPDIR/headrace-mpi.UID.HOST.RANDOM    locked (flock) as long as its process lives; the next one there removes
//                                          those of dead ones
//
// The thread that owns MPI, while no other reads the environment.
#pragma once

#include <functional>
#include <string>

namespace headrace::mpi {

class LoneFolder {
 public:
  LoneFolder() = default;
  /// Once MPI has ended.
  ~LoneFolder();
  LoneFolder(const LoneFolder&) = delete;
  LoneFolder& operator=(const LoneFolder&) = delete;

  /// Starts MPI, which sees this folder as the one for temporary files; where none can be made, that of all.
  void start(const std::function<void()>& start_mpi);

 private:
  void make();

  std::string path_;
  int lock_ = -1;
};

/// Removes those in a folder whose processes are dead, of this user.
void remove_lone_folders_in(const std::string& temporary) noexcept;

}  // namespace headrace::mpi
