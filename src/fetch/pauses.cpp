#include "fetch/pauses.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

namespace headrace::fetch {

using std::chrono::milliseconds;

bool passes(long status) {
  return status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

std::optional<milliseconds> retry_after(const std::string& value, std::int64_t now) {
  constexpr std::int64_t most = 1'000'000;
  std::int64_t seconds = 0;
  const auto* end = value.data() + value.size();
  const auto [rest, status] = std::from_chars(value.data(), end, seconds);
  if (status != std::errc{} || rest != end) {
    const auto date = curl_getdate(value.c_str(), nullptr);
    if (date < 0) return std::nullopt;
    seconds = static_cast<std::int64_t>(date) - now;
  }
  return milliseconds(std::clamp<std::int64_t>(seconds, 0, most) * 1000);
}

milliseconds pause(const Settings& settings, unsigned tries, double chance, std::optional<milliseconds> asked) {
  const auto doubled = settings.first_pause * (std::int64_t{1} << std::min(tries, 20u));
  const auto whole = std::min(doubled, settings.longest_pause);
  const milliseconds drawn(static_cast<std::int64_t>(static_cast<double>(whole.count()) * (0.5 + 0.5 * chance)));
  return std::max(drawn, std::min(asked.value_or(milliseconds(0)), settings.longest_pause));
}

}  // namespace headrace::fetch
