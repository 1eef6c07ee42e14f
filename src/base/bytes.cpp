#include "base/bytes.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

#include "base/error.hpp"

namespace headrace {

std::string format_bytes(double bytes) {
  constexpr std::array<const char*, 6> units{"B", "KB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (std::abs(bytes) >= 999.5 && unit + 1 < units.size()) {
    bytes /= 1000;
    ++unit;
  }
  const int digits = unit == 0 || std::abs(bytes) >= 99.95 ? 0 : std::abs(bytes) >= 9.995 ? 1 : 2;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f %s", digits, bytes, units[unit]);
  return text.data();
}

std::string format_rate(double bytes, double seconds) {
  return seconds > 0 ? format_bytes(bytes / seconds) + "/s" : "-";
}

std::uint64_t parse_bytes(std::string_view text, std::string_view what) {
  constexpr std::array<std::pair<std::string_view, double>, 14> units{{{"", 1},
                                                                       {"b", 1},
                                                                       {"k", 1e3},
                                                                       {"kb", 1e3},
                                                                       {"m", 1e6},
                                                                       {"mb", 1e6},
                                                                       {"g", 1e9},
                                                                       {"gb", 1e9},
                                                                       {"t", 1e12},
                                                                       {"tb", 1e12},
                                                                       {"kib", 1024.0},
                                                                       {"mib", 1048576.0},
                                                                       {"gib", 1073741824.0},
                                                                       {"tib", 1099511627776.0}}};
  double number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit;
  for (const char* c = rest; c != text.data() + text.size(); ++c)
    if (*c != ' ') unit += static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
  if (status == std::errc{} && number >= 0)
    for (const auto& [name, factor] : units)
      if (unit == name && number * factor < 1.8e19) return static_cast<std::uint64_t>(std::llround(number * factor));
  throw UsageError(std::string(what) + ": '" + std::string(text) +
                   "' is not a size; write a number with an optional unit, as in 4096, 69KB or 1.5GiB");
}

}  // namespace headrace
