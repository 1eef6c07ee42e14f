#include "mpi/watch.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "mpi/roll_call.hpp"

namespace headrace::mpi {

Watch::Watch(std::string what, std::string why, bool speaks)
    : what_(std::move(what)), why_(std::move(why)), speaks_(speaks), thread_([this] { watch(); }) {}

Watch::~Watch() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watch::watch() {
  const double tell_after = patience().tell_after_s, limit = patience().limit_s;
  const auto begin = std::chrono::steady_clock::now();
  const auto reached = [&](double seconds) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_until(lock, begin + std::chrono::duration<double>(seconds), [this] { return over_; });
  };
  if (!reached(tell_after)) return;
  tell("waits", tell_after);
  if (limit <= 0 || !reached(std::max(limit, tell_after))) return;
  tell("did not come up; ended after waiting", limit);
  _exit(1);
}

void Watch::tell(const char* verb, double seconds) const {
  if (speaks_) std::fprintf(stderr, "headrace: %s %s for %.0f s: %s\n", what_.c_str(), verb, seconds, why_.c_str());
}

}  // namespace headrace::mpi
