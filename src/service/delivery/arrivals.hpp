// What of the samples is in memory while they are still being read (start = early): the gate between feeds, which would
// go on, and the loaders. It opens window by window and never closes.
//
//   1. Rows of a window are copied only after open(), which comes when all stagers have it in memory: so a request to
//      another node can be answered. The messages that tell so pass through sockets, which order memory between
//      processes of a node as between threads.
//   2. Batches of what is not shuffled in windows, and of later epochs, wait until everything is there.
//
// Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/mutex.hpp"
#include "service/blueprint/blueprint.hpp"
#include "service/blueprint/windowing.hpp"

namespace headrace::service::delivery {

class Arrivals {
 public:
  Arrivals(const blueprint::Blueprint& blueprint, std::uint64_t seed);

  struct Answer {
    bool open = true;
    /// Else: the first window that is missing, where the batch is of some; where it waits for all, nothing.
    std::optional<std::uint64_t> waits_for{};
  };
  /// Whether a batch of the share may be filled. If not, ready() comes once when more is there: ask again then.
  /// who: that waits; its newest question counts.
  Answer ask(std::uint32_t stream, std::uint64_t epoch, const plan::Share& share, const void* who,
             std::function<void()> ready) EXCLUDES(mutex_);
  /// A window is in the memory of all stagers: who waits asks again.
  void open(std::uint64_t window) EXCLUDES(mutex_);
  /// How many there are, and are open.
  std::uint64_t windows() const { return blueprint_.arrival->windows(); }
  std::uint64_t opened() const EXCLUDES(mutex_);

 private:
  Answer look(std::uint32_t stream, std::uint64_t epoch, const plan::Share& share) const REQUIRES(mutex_);

  const blueprint::Blueprint& blueprint_;
  const blueprint::Windowing windowing_;
  std::atomic<bool> all_ = false;
  mutable Mutex mutex_;
  std::vector<bool> there_ GUARDED_BY(mutex_);
  std::map<const void*, std::function<void()>> waiting_ GUARDED_BY(mutex_);
};

}  // namespace headrace::service::delivery
