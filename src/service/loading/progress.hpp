// How far something is, for people: a bar that rewrites itself on a terminal, a line every few seconds elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

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

/// Of what comes in parts, each of which tells how far it is: from 0 to an end of its own, which may count more than the
/// part is worth (rows between those that are wanted), and perhaps several times over.
class ProgressOfParts {
 public:
  /// tell: of `all`. Null: nobody is told.
  ProgressOfParts(std::uint64_t all, std::function<void(std::uint64_t done, std::uint64_t all)> tell)
      : all_(all), tell_(std::move(tell)) {}
  /// The part before is done.
  void begin(std::uint64_t part);
  void at(std::uint64_t done, std::uint64_t total) const;

 private:
  std::uint64_t all_, before_ = 0, part_ = 0;
  std::function<void(std::uint64_t, std::uint64_t)> tell_;
};

}  // namespace headrace::service::loading
