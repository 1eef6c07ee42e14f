// How far something is, for people: a bar that rewrites itself on a terminal, a line every few seconds elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.hpp"

namespace headrace::service::loading {

class Progress {
 public:
  /// print: whether this process shows it. told: called about every quarter of a second with a fraction. what: is being
  /// done.
  Progress(bool print, std::function<void(double fraction)> told, std::string what = "loading");
  ~Progress() { done(); }
  void at(std::uint64_t done, std::uint64_t total);
  /// Ends the bar's line.
  void done();

 private:
  void draw(double fraction, std::uint64_t bytes, double seconds);

  bool print_, terminal_, drawn_ = false;
  std::function<void(double)> told_;
  std::string what_;
  Clock::time_point begin_ = Clock::now(), told_at_ = begin_, line_at_ = begin_;
};

}  // namespace headrace::service::loading
