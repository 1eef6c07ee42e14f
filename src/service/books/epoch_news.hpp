// Which epochs the log tells one by one: each, unless they are so short that it would be full of nothing else. Those
// left out are counted, and told together a moment later. Pure bookkeeping; time as the caller says.
//
//   1. Per stream the first `burst` verdicts are told at once, further ones at most every `every`.
//   2. An epoch that failed the audit is told before all others, and never left out of a count that says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "service/books/epoch_book.hpp"

namespace headrace::service::books {

/// One epoch, or many together.
struct News {
  Verdict verdict;           ///< of the one; of many: samples, bytes and seconds are sums, what else it says is nothing
  std::uint64_t epochs = 1;  ///< how many
  std::uint64_t first = 0, last = 0, failed = 0;
  std::string text;
};

class EpochNews {
 public:
  static constexpr unsigned burst = 60;
  static constexpr std::chrono::seconds every{5};

  explicit EpochNews(std::vector<std::string> streams) : streams_(std::move(streams)), states_(streams_.size()) {}

  /// What is to be told now: nothing, the verdict, or also those before it.
  std::vector<News> add(const Verdict& verdict, Clock::time_point now);
  /// Time passes: those that have waited.
  std::vector<News> tick(Clock::time_point now);
  /// At the end: all that has not been told.
  std::vector<News> flush();

 private:
  /// So many may be told; one more each `every`.
  struct Allowance {
    double left = burst;
    Clock::time_point since{};
    bool take(Clock::time_point now);
  };
  struct State {
    Allowance good, bad;
    News waiting{.verdict = {}, .epochs = 0};
  };
  void wait_with(State& state, const Verdict& verdict) const;
  void tell_waiting(State& state, std::vector<News>& news) const;

  const std::vector<std::string> streams_;
  std::vector<State> states_;
};

}  // namespace headrace::service::books
