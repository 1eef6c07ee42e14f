// What other threads hand to the thread that owns MPI, and how that one sleeps meanwhile. take() and wait_for() in
// that thread, the rest from any.
//
// Notified under the lock: the engine may end, and this with it, as soon as its thread has seen what was handed over.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "exchange/request.hpp"
#include "mpi/p2p.hpp"

namespace headrace::exchange {

/// Rows wanted from another node.
struct Fetch {
  int peer = 0;  ///< the stager that is asked
  Request request;
  std::vector<mpi::Block> into;   ///< where the answer goes, in its order
  std::function<void()> arrived;  ///< called once, in the thread that owns MPI or a worker
};

class Handover {
 public:
  struct Orders {
    std::vector<Fetch> fetches;
    std::vector<std::pair<int, std::string>> controls;  ///< to whom, what
    std::vector<std::uint32_t> packed;                  ///< send buffers that workers have filled
    std::vector<std::uint32_t> emptied;                 ///< bounce buffers that workers have emptied
    bool any() const { return !fetches.empty() || !controls.empty() || !packed.empty() || !emptied.empty(); }
  };

  void fetch(Fetch fetch) EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    orders_.fetches.push_back(std::move(fetch));
    wake_.notify_one();
  }
  void control(int to, std::string text) EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    orders_.controls.emplace_back(to, std::move(text));
    wake_.notify_one();
  }
  void packed(std::uint32_t buffer) EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    orders_.packed.push_back(buffer);
    wake_.notify_one();
  }
  void emptied(std::uint32_t buffer) EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    orders_.emptied.push_back(buffer);
    wake_.notify_one();
  }
  void wake() EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    woken_ = true;
    wake_.notify_one();
  }

  Orders take() EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    woken_ = false;
    return std::exchange(orders_, {});
  }
  bool any() const EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    return orders_.any();
  }
  /// At most so many seconds; not at all where something is there already. It may be less.
  void wait_for(double seconds) EXCLUDES(mutex_) {
    Lock lock(mutex_);
    if (!orders_.any() && !woken_) wake_.wait_for(lock, std::chrono::duration<double>(seconds));
  }

 private:
  mutable Mutex mutex_;
  Condition wake_;
  Orders orders_ GUARDED_BY(mutex_);
  bool woken_ GUARDED_BY(mutex_) = false;
};

}  // namespace headrace::exchange
