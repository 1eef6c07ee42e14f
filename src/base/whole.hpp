// A whole number of 64 bits, signed or not: what labels and fill values of files may be. A plain value.
#pragma once

#include <cmath>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace headrace {

class Whole {
 public:
  Whole() = default;
  explicit Whole(std::int64_t value) : low_(value) {}
  explicit Whole(std::uint64_t value)
      : beyond_(value > INT64_MAX), low_(static_cast<std::int64_t>(value & INT64_MAX)) {}

  /// The number that a float is; nothing where it is none, or has more than 64 bits.
  static std::optional<Whole> of(double value) {
    constexpr double half = 0x1p63;
    if (!(value >= -half && value < 2 * half) || std::trunc(value) != value) return std::nullopt;
    return value < half ? Whole(static_cast<std::int64_t>(value)) : Whole(static_cast<std::uint64_t>(value));
  }

  bool beyond_int64() const { return beyond_; }
  bool negative() const { return low_ < 0; }
  /// As it stands in 8 bytes.
  std::uint64_t bits() const { return static_cast<std::uint64_t>(low_) | (beyond_ ? std::uint64_t{1} << 63 : 0); }
  double as_double() const { return beyond_ ? static_cast<double>(bits()) : static_cast<double>(low_); }
  std::string text() const { return beyond_ ? std::to_string(bits()) : std::to_string(low_); }
  auto operator<=>(const Whole&) const = default;

 private:
  bool beyond_ = false;   // what an int64 can be
  std::int64_t low_ = 0;  // of those beyond: less 2^63
};

}  // namespace headrace

template <>
struct std::hash<headrace::Whole> {
  std::size_t operator()(const headrace::Whole& value) const noexcept {
    return std::hash<std::uint64_t>()(value.bits());
  }
};
