// How far the life of the service is, as one stager sees it.
//
//   loading --open()--> open --(the head says: end)----------------> ending --(the head says: exit)--> over
//                         '--(asked here to stop)--> stopping --(end)--^
//   any but over --(a stager dies, an error)--> failed, and this process leaves
//
// Only the host's thread moves it on; any thread may ask, or wait for the end.
#pragma once

#include <cstdint>
#include <functional>

#include "base/mutex.hpp"

namespace headrace::service::host {

enum class Phase : std::uint8_t {
  loading,   ///< trainers may knock, and wait
  open,      ///< trainers are served
  stopping,  ///< this stager was asked to end the service, and has told the head, which has not answered yet
  ending,    ///< nobody is let in any more; what is under way comes to its end
  over,      ///< nothing is under way any more, in the whole service
  failed,
};

class PhaseGate {
 public:
  Phase now() const EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    return phase_;
  }
  bool is_over() const { return now() == Phase::over; }
  /// There are trainers, feeds and views: from open() on.
  bool has_opened() const { return now() >= Phase::open; }
  void enter(Phase phase) EXCLUDES(mutex_) {
    {
      const Lock lock(mutex_);
      phase_ = phase;
    }
    changed_.notify_all();
  }
  void wait_until_over() EXCLUDES(mutex_) {
    Lock lock(mutex_);
    while (phase_ != Phase::over) changed_.wait(lock);
  }
  void on_end(std::function<void()> callback) EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    if (on_end_)
      callback = [before = std::move(on_end_), callback = std::move(callback)] {
        before();
        callback();
      };
    on_end_ = std::move(callback);
  }
  /// Calls all that on_end() was given.
  void tell_end() const EXCLUDES(mutex_) {
    std::function<void()> callback;
    {
      const Lock lock(mutex_);
      callback = on_end_;
    }
    if (callback) callback();
  }

 private:
  mutable Mutex mutex_;
  Condition changed_;
  Phase phase_ GUARDED_BY(mutex_) = Phase::loading;
  std::function<void()> on_end_ GUARDED_BY(mutex_);
};

}  // namespace headrace::service::host
