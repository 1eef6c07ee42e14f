// Sizes as people write and read them.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace headrace {

/// "69 KB", "1.50 GB": decimal units, three significant digits.
std::string format_bytes(double bytes);
template <std::integral Count>
std::string format_bytes(Count bytes) {
  return format_bytes(static_cast<double>(bytes));
}
/// "1.2 GB/s" from bytes and seconds; "-" if no time passed.
std::string format_rate(double bytes, double seconds);
/// Bytes from "69KB", "1.5 GiB", "4096": decimal (K, KB, MB, GB, TB) and binary (KiB, MiB, ...) units.
/// Throws UsageError for anything else, with `what` naming the option.
std::uint64_t parse_bytes(std::string_view text, std::string_view what);
/// n rounded up to a multiple of unit (unit > 0).
constexpr std::uint64_t round_up(std::uint64_t n, std::uint64_t unit) {
  return (n + unit - 1) / unit * unit;
}

}  // namespace headrace
