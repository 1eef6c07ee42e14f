// Calls in progress on a stream, and the end of it: who closes waits for them. Any thread.
//
//   1. A call holds a Visit, and does nothing where that is false: the stream is being closed.
//   2. end() returns once all visits are over. One thread calls it, once; the stream may be destroyed then.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "ipc/futex.hpp"

namespace headrace::client {

class Calls {
 public:
  /// Whether calls should come to their end: asked by those that wait, at least each `slice`.
  bool ending() const {
    return (state_.load(std::memory_order_relaxed) & closing) != 0;  // relaxed: asked again soon
  }
  static constexpr std::chrono::milliseconds slice{200};

  void end() {
    // acq_rel, one word with the count: a visit that comes later sees it, and one that came before is counted here.
    state_.fetch_or(closing, std::memory_order_acq_rel);
    for (;;) {
      const auto state = state_.load(std::memory_order_acquire);  // see ~Visit
      if (state == closing) return;
      ipc::futex_wait(state_, state, std::chrono::seconds(1));
    }
  }

  class Visit {
   public:
    explicit Visit(Calls& calls)
        : state_(calls.state_), welcome_((state_.fetch_add(1, std::memory_order_acq_rel) & closing) == 0) {}
    ~Visit() {
      // release: what the call did happens before end() returns. After the last one the word may be gone with its
      // stream; the kernel takes its address as a name only, so waking stays harmless.
      if (state_.fetch_sub(1, std::memory_order_release) == (closing | 1)) ipc::futex_wake(state_);
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    explicit operator bool() const { return welcome_; }

   private:
    std::atomic<std::uint32_t>& state_;
    bool welcome_;
  };

 private:
  static constexpr std::uint32_t closing = 1u << 31;
  std::atomic<std::uint32_t> state_{0};  // how many, and whether it is to end
};

}  // namespace headrace::client
