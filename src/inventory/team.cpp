#include "inventory/team.hpp"

#include <algorithm>

namespace headrace::inventory {

Team::Team(unsigned threads) : helpers_(std::max(threads, 1u) - 1), workers_(helpers_) {}

void Team::add(std::function<void()> job) {
  bool here = false;
  {
    const Lock lock(mutex_);
    here = pending_ >= 2 * helpers_;
    if (!here) ++pending_;
  }
  if (here) {
    run(job);
  } else {
    workers_.post([this, job = std::move(job)] {
      run(job);
      const Lock lock(mutex_);
      --pending_;
      done_.notify_one();
    });
  }
  rethrow();
}

void Team::run(const std::function<void()>& job) {
  {
    const Lock lock(mutex_);
    if (failure_) return;
  }
  try {
    job();
  } catch (...) {
    const Lock lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
}

void Team::finish() {
  {
    Lock lock(mutex_);
    while (pending_ > 0) done_.wait(lock);
  }
  rethrow();
}

void Team::rethrow() {
  const Lock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace headrace::inventory
