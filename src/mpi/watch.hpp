// Around what blocks inside MPI until others come to it too, and cannot be asked about now and then.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace headrace::mpi {

/// While one lives: tells on stderr that it takes long, and ends this process (exit code 1, on which launchers end the
/// others) where it takes too long: by patience() of roll_call.hpp. MPI itself would wait for ever.
class Watch {
 public:
  /// what: "MPI", or another that waits; why: what may be the reason, in words. Only one that speaks tells.
  Watch(std::string what, std::string why, bool speaks);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  void watch();
  void tell(const char* verb, double seconds) const;

  const std::string what_, why_;
  const bool speaks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace headrace::mpi
