// Which failures of a request pass, and how long to wait for that. Pure but for the clock of dates.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "fetch/settings.hpp"

namespace headrace::fetch {

/// Whether the same request may well succeed later: 408, 425, 429 and 5xx (but 501 and 505).
bool passes(long status);

/// Retry-After, in seconds or as a date; nothing where it is neither. now: seconds since 1970.
std::optional<std::chrono::milliseconds> retry_after(const std::string& value, std::int64_t now);

/// Before try `tries` + 1: the first pause doubled so often, of which a part drawn at random (0 <= chance < 1) is taken
/// so that many who failed together don't come again together; no shorter than what the server asked for.
std::chrono::milliseconds pause(const Settings& settings, unsigned tries, double chance,
                                std::optional<std::chrono::milliseconds> asked);

}  // namespace headrace::fetch
