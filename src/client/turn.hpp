// One at a time, for calls that may wait long: a mutex whose wait has a limit, and ends when the stream is closed. (Not
// std::timed_mutex: race detectors do not know the call that its limit needs.) Any thread.
#pragma once

#include <algorithm>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "client/calls.hpp"
#include "client/deadline.hpp"

namespace headrace::client {

class CAPABILITY("turn") Turn {
 public:
  /// False if it did not come before the deadline, or the stream is being closed.
  bool take(const Deadline& deadline, const Calls& calls) TRY_ACQUIRE(true) NOT_CHECKED_FOR_LOCKS {
    return wait_for_it(deadline, calls);  // sets taken_, which the check does not know to be the turn
  }

  /// From a successful take() to the end of the block.
  class SCOPED_CAPABILITY Ours {
   public:
    explicit Ours(Turn& turn) REQUIRES(turn) : turn_(turn) {}
    ~Ours() RELEASE() { turn_.give_back(); }
    Ours(const Ours&) = delete;
    Ours& operator=(const Ours&) = delete;

   private:
    Turn& turn_;
  };

 private:
  bool wait_for_it(const Deadline& deadline, const Calls& calls) EXCLUDES(mutex_) {
    Lock lock(mutex_);
    while (taken_) {
      if (deadline.passed() || calls.ending()) return false;
      freed_.wait_for(lock, deadline.left(std::chrono::milliseconds(Calls::slice)));
    }
    return taken_ = true;
  }
  void give_back() EXCLUDES(mutex_) {
    {
      const Lock lock(mutex_);
      taken_ = false;
    }
    freed_.notify_one();
  }

  Mutex mutex_;
  Condition freed_;
  bool taken_ GUARDED_BY(mutex_) = false;
};

}  // namespace headrace::client
