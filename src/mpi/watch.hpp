// Around what blocks inside MPI until others come to it too, and cannot be asked about now and then: MPI's own start,
// making communicators, and what HDF5 does collectively.
#pragma once

#include <sys/types.h>

#include <string>
#include <thread>

#include "base/mutex.hpp"

namespace headrace::mpi {

/// While one lives, a thread beside tells that it takes long, and ends this process (exit code 1, on which launchers
/// end the others) where it takes too long: by patience.hpp. MPI itself would wait for ever.
class Watch {
 public:
  /// what: "MPI", or another that waits; why: what may be the reason, in words; end: what is said of it when it took
  /// too long. Only one that speaks tells.
  Watch(std::string what, std::string why, bool speaks, std::string end = "did not come up");
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  void watch();
  std::string text(const std::string& verb, double seconds) const;

  const std::string what_, why_, end_;
  const bool speaks_;
  const pid_t watched_;  ///< the thread that waits
  Mutex mutex_;
  Condition changed_;
  bool over_ GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace headrace::mpi
