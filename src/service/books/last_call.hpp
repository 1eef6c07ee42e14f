// Who has come to the end of the service, and who has not: a stager that hangs would else let the others wait for ever.
//
//   1. From begin() on each stager owes a word; expect() adds one that it owes, at any time, and came() takes one off.
//   2. alive() marks one that has heard of the end and is busy: those of whom nothing was heard are named first.
//   3. Waiting for long is told once and then every minute; after the limit it is an error that names who is missing.
//
// Pure bookkeeping, called from one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "config/config.hpp"

namespace headrace::service::books {

/// Seconds that the end waits for a stager: start-timeout, but no longer than the exchange waits for an answer; 0: no
/// limit.
double end_limit(const config::Config& config);

class LastCall {
 public:
  /// names: of the stagers, by number.
  LastCall(std::vector<std::string> names, double limit_s);

  /// The service ends (the first call counts).
  void begin(Clock::time_point now);
  void alive(std::uint32_t stager) { heard_.at(stager) = true; }
  void expect(std::uint32_t stager) { ++owed_.at(stager); }
  void came(std::uint32_t stager);
  bool complete() const;

  /// Time passes: what to tell, if it is time to; nothing before begin() and once complete. Throws Error at the limit.
  std::optional<std::string> tick(Clock::time_point now);

 private:
  std::vector<std::string> missing(bool heard) const;

  const std::vector<std::string> names_;
  const double limit_;
  double tell_at_;
  std::optional<Clock::time_point> begin_;
  std::vector<bool> heard_;
  std::vector<std::uint32_t> owed_;
};

}  // namespace headrace::service::books
