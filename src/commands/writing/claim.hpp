// Who writes an output, for all nodes that see its folder. As long as a run is at it, FILE.part.by stands beside
// FILE.part and says which process that is. The name of a socket (session.hpp) tells the same at once, on one node.
//
//   1. It is made in one step where there is none: of several runs that begin at once, on whatever nodes, one has it.
//   2. Its time is renewed every two seconds, by the file system's clock: who looks compares two looks, and no clocks.
//   3. Who is killed leaves it. Where a process number means the same, /proc tells at once that its process is gone.
//      Elsewhere another run looks for some seconds whether its time changes.
//   4. It is taken from one that is gone by one run at a time (FILE.part.by.turn), which looks once more: of two that
//      found the same one gone, the later does not take the new one of the earlier.
//   5. Who stood still for so long that others took it for gone finds that, and ends: it would write into their file.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/mutex.hpp"
#include "commands/writing/interrupts.hpp"
#include "ipc/fd.hpp"
#include "mpi/comm.hpp"

namespace headrace::commands::writing {

class Claim {
 public:
  struct Setup {
    std::chrono::milliseconds look;  ///< at the claim of a process that cannot be seen from here
    std::chrono::milliseconds renew{2000};
    std::function<void(const std::string& why)> lost;  ///< in a thread of its own; need not return
  };
  Claim(const std::string& output, Setup setup);
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  /// Once. UsageError that names who has it. Error where it cannot be made, or was let go meanwhile.
  void take();
  /// Takes the file away, or keeps it from being made. Any thread.
  void release() noexcept;

 private:
  bool make();
  void renew_until_end() EXCLUDES(mutex_);
  bool is_lost() const;

  const std::string output_, path_;
  const Setup setup_;
  Mutex file_mutex_;  // it is made, or released before
  ipc::Fd file_;
  bool counts_names_ = false;  // the file system: a file without a name has none
  std::atomic<bool> released_ = false;
  Mutex mutex_;
  Condition wake_;
  bool end_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

/// Collective: the claim, at the first stager, which is let go where the process ends by itself (so that is a holder, too,
/// until it forgets); whoever loses it ends the job.
std::shared_ptr<Claim> claim_output(const mpi::Comm& all, const std::string& output, Interrupts& interrupts);

/// Whether another run has it that is not known to be gone.
bool may_be_written(const std::string& output);

/// For messages, of a journal that is there: "'x.h5.part' is what an earlier run left", or that somebody may be at it.
std::string text_of_begun(const std::string& output, const std::string& shown);

/// Takes away what a run that is known to be gone left of its claim.
void sweep_claim(const std::string& output);

}  // namespace headrace::commands::writing
