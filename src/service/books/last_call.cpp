#include "service/books/last_call.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "exchange/engine.hpp"

namespace headrace::service::books {

namespace {

constexpr double tell_after_s = 10;  // batches under way are done in much less
constexpr double tell_every_s = 60;

}  // namespace

double end_limit(const config::Config& config) {
  return std::min(config.start_timeout, exchange::Settings{}.limit_s);
}

LastCall::LastCall(std::vector<std::string> names, double limit_s)
    : names_(std::move(names)),
      limit_(limit_s),
      tell_at_(limit_s > 0 ? std::min(tell_after_s, limit_s / 2) : tell_after_s),
      heard_(names_.size()),
      owed_(names_.size(), 1) {}

void LastCall::begin(Clock::time_point now) {
  if (!begin_) begin_ = now;
}

void LastCall::came(std::uint32_t stager) {
  auto& owed = owed_.at(stager);
  require(owed > 0, names_[stager] + " has come to the end twice");
  --owed;
}

bool LastCall::complete() const {
  return std::ranges::all_of(owed_, [](auto owed) { return owed == 0; });
}

std::vector<std::string> LastCall::missing(bool heard) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (owed_[i] > 0 && heard_[i] == heard) names.push_back(names_[i]);
  return names;
}

std::optional<std::string> LastCall::tick(Clock::time_point now) {
  if (!begin_ || complete()) return std::nullopt;
  const double waited = seconds_between(*begin_, now);
  const auto silent = missing(false), busy = missing(true);
  if (limit_ > 0 && waited >= limit_)
    throw Error(
        fmt::format("{} did not come to the end of the service within {:.0f} s (it hangs, or its node does); look at "
                    "it; the others end now",
                    some_of(silent.empty() ? busy : silent), waited));
  if (waited < tell_at_) return std::nullopt;
  tell_at_ = waited + tell_every_s;
  auto text = fmt::format("waiting for the end for {:.0f} s", waited);
  if (!silent.empty()) text += ": no answer from " + some_of(silent);
  if (!busy.empty()) text += "; batches still under way: " + some_of(busy);
  return text;
}

}  // namespace headrace::service::books
