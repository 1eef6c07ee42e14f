// How fast something goes lately: amounts that only grow, looked at now and then, and what the last few seconds added.
// One thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>

#include "base/clock.hpp"

namespace headrace::service::delivery {

template <std::size_t Amounts>
class Pace {
 public:
  static constexpr std::chrono::seconds span{4};
  static constexpr std::chrono::milliseconds apart{200};  ///< looks that follow faster are not kept

  void look(Clock::time_point now, const std::array<double, Amounts>& amounts) {
    if (!looks_.empty() && now - looks_.back().at < apart) return;
    looks_.push_back({now, amounts});
    while (looks_.size() > 2 && now - looks_.front().at > span) looks_.pop_front();
  }
  /// Per second, between the oldest look that is kept and the last; 0 while there are not two.
  double per_second(std::size_t amount) const {
    if (looks_.size() < 2) return 0;
    const double seconds = std::chrono::duration<double>(looks_.back().at - looks_.front().at).count();
    return (looks_.back().amounts[amount] - looks_.front().amounts[amount]) / seconds;
  }

 private:
  struct Look {
    Clock::time_point at;
    std::array<double, Amounts> amounts;
  };
  std::deque<Look> looks_;
};

}  // namespace headrace::service::delivery
