// A fixed pool of threads that run short jobs in the order they come. post() from any thread, also from a job.
// Jobs must not throw: what can fail reports its failure itself.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.hpp"

namespace headrace {

class Workers {
 public:
  explicit Workers(unsigned threads);
  ~Workers();  ///< finishes the job in hand of each thread, drops what is queued
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void post(std::function<void()> job) EXCLUDES(mutex_);
  /// The job goes before all queued ones: for work that others (peers, waiting trainers) hang on.
  void post_first(std::function<void()> job) EXCLUDES(mutex_);
  unsigned size() const { return static_cast<unsigned>(threads_.size()); }
  /// Whether a thread waits for a job now: a hint for who could as well do the job itself.
  bool any_idle() const {
    return idle_.load(std::memory_order_relaxed) > 0;  // relaxed: a hint, old at once
  }

 private:
  void work();

  Mutex mutex_;
  Condition wake_;
  std::deque<std::function<void()>> jobs_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
  std::atomic<int> idle_ = 0;  // threads that wait
  std::vector<std::thread> threads_;
};

}  // namespace headrace
