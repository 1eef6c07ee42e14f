#include "mpi/watch.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>

#include "mpi/patience.hpp"

namespace headrace::mpi {

namespace {

/// Whether the kernel lets this thread of ours sleep until a disk or a file system answers.
bool waits_for_disk(pid_t thread) {
  std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(stat, line);
  const auto name_ends = line.rfind(')');  // names may hold anything
  return name_ends != std::string::npos && line.substr(name_ends + 1, 3) == " D ";
}

}  // namespace

Watch::Watch(std::string what, std::string why, bool speaks, std::string end)
    : what_(std::move(what)),
      why_(std::move(why)),
      end_(std::move(end)),
      speaks_(speaks),
      watched_(gettid()),
      thread_([this] { watch(); }) {}

Watch::~Watch() {
  {
    const Lock lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watch::watch() {
  const double tell_after = patience().tell_after_s, limit = patience().limit_s;
  const auto begin = std::chrono::steady_clock::now();
  const auto reached = [&](double seconds) {
    const auto until = begin + std::chrono::duration<double>(seconds);
    Lock lock(mutex_);
    while (!over_)
      if (!changed_.wait_until(lock, until)) break;
    return !over_;
  };
  if (!reached(tell_after)) return;
  if (speaks_) tell(text("waits", tell_after));
  if (limit <= 0 || !reached(std::max(limit, tell_after))) return;
  give_up_beside_mpi(speaks_ ? text(end_ + "; ended after waiting", limit) : "");
}

std::string Watch::text(const std::string& verb, double seconds) const {
  return fmt::format(
      "{} {} for {:.0f} s: {}{}", what_, verb, seconds, why_,
      waits_for_disk(watched_) ? " (it waits for its own disk or file system, which does not answer)" : "");
}

}  // namespace headrace::mpi
