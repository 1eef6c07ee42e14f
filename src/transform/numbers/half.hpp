// Floats of 16 bits to and from float32, arrays at a time, rounding to the nearest and ties to even. NaN stays NaN;
// what is beyond the largest finite value becomes infinite: whoever must not have that checks first. Any thread.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace headrace::transform::numbers {

// On processors with F16C the arrays are converted by it; elsewhere by integer arithmetic that compilers vectorise.
void half_to_float(const std::uint16_t* in, std::size_t n, float* out);
void float_to_half(const float* in, std::size_t n, std::byte* out);
void bfloat_to_float(const std::uint16_t* in, std::size_t n, float* out);
void float_to_bfloat(const float* in, std::size_t n, std::byte* out);

namespace portable {  // the same without F16C, to be tested everywhere
void half_to_float(const std::uint16_t* in, std::size_t n, float* out);
void float_to_half(const float* in, std::size_t n, std::byte* out);
}  // namespace portable

/// Rounded to odd: the last bit is set where bits were lost, so that rounding the result to fewer bits gives what
/// rounding the double would have given.
inline float to_odd(double value) {
  const auto nearest = static_cast<float>(value);
  const auto back = static_cast<double>(nearest);
  auto bits = std::bit_cast<std::uint32_t>(nearest);
  bits -= std::fabs(back) > std::fabs(value) ? 1u : 0u;
  bits |= back != value ? 1u : 0u;  // NaN too: it stays NaN
  return std::bit_cast<float>(bits);
}

/// The same from integers of 64 bits: at least 43 leading bits are kept.
inline double to_odd(std::uint64_t value) {
  if (value >> 53 == 0) return static_cast<double>(value);
  return static_cast<double>((value & ~0x7ffull) | ((value & 0x7ff) != 0 ? 0x800u : 0u));
}
inline double to_odd(std::int64_t value) {
  const auto magnitude = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  return value < 0 ? -to_odd(magnitude) : to_odd(magnitude);
}

}  // namespace headrace::transform::numbers
