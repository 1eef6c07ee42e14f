#include "commands/writing/meter.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

namespace headrace::commands::writing {

namespace {
constexpr auto log_every = std::chrono::seconds(5);
}  // namespace

Meter::Meter(service::host::Host& host, bool print, Amount amount)
    : host_(host),
      amount_(amount),
      progress_(
          print, [this](double fraction) { tell(fraction); }, "writing") {
  host_.loading("writing", 0);
}

void Meter::at(std::uint64_t rows) {
  const auto total = amount_.total_bytes - amount_.done_bytes;
  progress_.at(std::min(rows * amount_.row_bytes, total), total);
}

void Meter::tell(double fraction) {
  host_.loading("writing", fraction);
  const auto now = Clock::now();
  if (now - told_at_ < log_every) return;
  told_at_ = now;
  const auto left = static_cast<double>(amount_.total_bytes - amount_.done_bytes);
  host_.tell("writing", {{"bytes", amount_.done_bytes + static_cast<std::uint64_t>(fraction * left)},
                         {"total", amount_.total_bytes}});
}

}  // namespace headrace::commands::writing
