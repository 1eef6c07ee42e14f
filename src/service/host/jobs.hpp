// What other threads ask a thread with a poller to do. post() from any thread, the rest in the poller's.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "ipc/poller.hpp"
#include "ipc/process.hpp"

namespace headrace::service::host {

class Jobs {
 public:
  explicit Jobs(ipc::Poller& poller) : poller_(poller), bell_(ipc::Bell::make()) {
    poller_.add(bell_.fd(), [this] { take(); });
  }
  ~Jobs() { poller_.remove(bell_.fd()); }
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  void post(std::function<void()> job) EXCLUDES(mutex_) {
    {
      const Lock lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    bell_.ring();
  }
  /// Makes the poller return.
  void wake() { bell_.ring(); }

 private:
  void take() EXCLUDES(mutex_) {
    bell_.drain();
    std::vector<std::function<void()>> jobs;
    {
      const Lock lock(mutex_);
      jobs.swap(jobs_);
    }
    for (auto& job : jobs) job();
  }

  ipc::Poller& poller_;
  ipc::Bell bell_;
  Mutex mutex_;
  std::vector<std::function<void()>> jobs_ GUARDED_BY(mutex_);
};

}  // namespace headrace::service::host
