// What Open MPI leaves behind where a job was killed hard (mpirun and all its processes with SIGKILL, out of memory): a
// session folder in /tmp, and 4 MB a process in /dev/shm. Only what is ours beyond doubt is removed:
//
//   1. Each process of ours leaves a mark in its job's session folder, with the names of its shared memory, and holds a
//      lock on it while it lives, in whatever container. mpirun removes the mark with the folder, if it can.
//   2. A job is dead when nobody holds a lock on any of its marks and its mpirun is gone; its folder is this user's, and
//      this host's. Process numbers are only believed among the processes of one PID namespace: a job of another
//      container that shares /tmp is left alone.
//   3. Open MPI names the folder by the process number of mpirun, so that a later job, or one of another container, may
//      have the same: a folder with files younger than the marks is left alone, as somebody may be starting there.
//
// The thread that owns MPI.
#pragma once

#include <string>
#include <vector>

namespace headrace::mpi {

/// The mark of this process. Nothing where there is no session folder (no mpirun, or another MPI).
class Mark {
 public:
  /// After MPI is up.
  void leave() noexcept;
  ~Mark();
  Mark() = default;
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;

 private:
  std::string path_;
  int lock_ = -1;
};

/// Removes what dead jobs of ours have left on this node; by one process of the node. A sentence for each.
std::vector<std::string> remove_leftovers() noexcept;

/// The same of one folder that holds session folders of Open MPI 4, and one where Open MPI 5 puts them among others'.
std::vector<std::string> remove_leftovers_in(const std::string& top, const std::string& temporary) noexcept;

}  // namespace headrace::mpi
