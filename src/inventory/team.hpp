// Threads that work for one reading, with the caller as one of them.
//
//   1. add() and finish() are called by the caller's thread alone.
//   2. The first exception of a job stops what has not begun, and is thrown by the next add() or finish().
//   3. No more than two jobs per thread wait at a time, so that what they hold is bounded.
#pragma once

#include <exception>
#include <functional>

#include "base/mutex.hpp"
#include "base/workers.hpp"

namespace headrace::inventory {

class Team {
 public:
  explicit Team(unsigned threads);
  void add(std::function<void()> job);
  void finish();

 private:
  void run(const std::function<void()>& job);
  void rethrow();

  unsigned helpers_;
  Mutex mutex_;
  Condition done_;
  unsigned pending_ GUARDED_BY(mutex_) = 0;
  std::exception_ptr failure_ GUARDED_BY(mutex_);
  Workers workers_;  // last: its threads end before what they use
};

}  // namespace headrace::inventory
