#include "service/books/epoch_news.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"

namespace headrace::service::books {

bool EpochNews::Allowance::take(Clock::time_point now) {
  if (since != Clock::time_point{})
    left = std::min<double>(burst, left + seconds_between(since, now) / std::chrono::duration<double>(every).count());
  since = now;
  if (left < 1) return false;
  left -= 1;
  return true;
}

std::vector<News> EpochNews::add(const Verdict& verdict, Clock::time_point now) {
  auto& state = states_.at(verdict.stream);
  std::vector<News> news;
  auto& allowance = verdict.exactly_once ? state.good : state.bad;
  if (allowance.take(now)) {
    tell_waiting(state, news);
    news.push_back({.verdict = verdict,
                    .epochs = 1,
                    .first = verdict.epoch,
                    .last = verdict.epoch,
                    .failed = !verdict.exactly_once,
                    .text = verdict.text});
  } else {
    wait_with(state, verdict);
  }
  return news;
}

void EpochNews::wait_with(State& state, const Verdict& verdict) const {
  auto& waiting = state.waiting;
  if (waiting.epochs++ == 0) {
    waiting.verdict = {.stream = verdict.stream, .epoch = verdict.epoch, .complete = true, .exactly_once = true};
    waiting.first = waiting.last = verdict.epoch;
  }
  waiting.first = std::min(waiting.first, verdict.epoch);
  waiting.last = std::max(waiting.last, verdict.epoch);
  waiting.failed += !verdict.exactly_once;
  auto& sum = waiting.verdict;
  sum.samples += verdict.samples;
  sum.bytes += verdict.bytes;
  sum.seconds += verdict.seconds;
  sum.complete &= verdict.complete;
  sum.exactly_once &= verdict.exactly_once;
}

void EpochNews::tell_waiting(State& state, std::vector<News>& news) const {
  if (state.waiting.epochs == 0) return;
  auto told = std::exchange(state.waiting, News{.verdict = {}, .epochs = 0});
  const auto& sum = told.verdict;
  const std::string audit = told.failed > 0 ? fmt::format("AUDIT FAILED in {} of them", told.failed)
                            : sum.complete  ? "every sample exactly once"
                                            : "every sample exactly once from where the trainers began";
  told.text = fmt::format("{} epochs {} to {}: {} more, too short to be told one by one: {} samples, {}; {}",
                          streams_[sum.stream], told.first, told.last, told.epochs, sum.samples,
                          format_rate(static_cast<double>(sum.bytes), sum.seconds), audit);
  news.push_back(std::move(told));
}

std::vector<News> EpochNews::tick(Clock::time_point now) {
  std::vector<News> news;
  for (auto& state : states_) {
    if (state.waiting.epochs == 0) continue;
    auto& allowance = state.waiting.failed > 0 ? state.bad : state.good;
    if (allowance.take(now)) tell_waiting(state, news);
  }
  return news;
}

std::vector<News> EpochNews::flush() {
  std::vector<News> news;
  for (auto& state : states_) tell_waiting(state, news);
  return news;
}

}  // namespace headrace::service::books
