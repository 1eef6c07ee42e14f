// A limit of time as the C API counts it: seconds from now, negative for none. Immutable; any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "base/clock.hpp"

namespace headrace::client {

class Deadline {
 public:
  explicit Deadline(double seconds) : seconds_(seconds) {
    constexpr double longest = 1e9;  // 30 years; more would overflow the clock
    if (seconds >= 0 && seconds < longest)
      at_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }
  bool passed() const { return at_ && Clock::now() >= *at_; }
  /// What is left, but not more than `slice`.
  template <class Duration>
  Duration left(Duration slice) const {
    if (!at_) return slice;
    const auto left = std::max(*at_ - Clock::now(), Clock::duration::zero());
    return std::min(slice, std::chrono::ceil<Duration>(left));
  }
  /// "within 10 s", or "without a wait".
  std::string text() const {
    if (seconds_ == 0) return "without a wait";
    char text[64];
    // Callers may pass what is left of a longer wait: 599.9987 s would look like a riddle.
    std::snprintf(text, sizeof text, seconds_ < 100 ? "within %.3g s" : "within %.0f s", seconds_);
    return text;
  }

 private:
  double seconds_;
  std::optional<Clock::time_point> at_;
};

}  // namespace headrace::client
