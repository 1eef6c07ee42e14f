#include "exchange/silence.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace headrace::exchange {

namespace {

constexpr double absent_s = 5;  // between two looks: this stager stood still itself

}  // namespace

double Silence::silent_since(int peer, double oldest) const {
  const auto heard = heard_.find(peer);
  return std::max({oldest, awake_, heard == heard_.end() ? oldest : heard->second});
}

std::vector<std::string> Silence::look(double now, const std::map<int, double>& oldest) {
  if (now - looked_ > absent_s) awake_ = now;
  looked_ = now;
  std::vector<std::string> lines;
  for (const auto& [peer, since] : oldest) {
    if (now - std::max(since, awake_) > limit_s_)
      throw Error(
          fmt::format("no answer from {} for {:.0f} s (it is stuck or its node is unreachable); see its log and "
                      "restart the service",
                      name_(peer), limit_s_));
    const auto silent = silent_since(peer, since);
    if (now - silent < tell_s_ || told_.contains(peer)) continue;
    told_[peer] = silent;
    lines.push_back(
        fmt::format("no answer from {} for {:.0f} s (it stands still, or its node or network does); batches with rows "
                    "of its node wait; given up after {:.0f} s",
                    name_(peer), now - silent, limit_s_));
  }
  std::erase_if(told_, [&](const auto& entry) {
    const auto& [peer, silent] = entry;
    const auto asked = oldest.find(peer);
    if (asked != oldest.end() && silent_since(peer, asked->second) <= silent) return false;
    lines.push_back(fmt::format("{} answers again, after {:.0f} s", name_(peer), now - silent));
    return true;
  });
  return lines;
}

}  // namespace headrace::exchange
