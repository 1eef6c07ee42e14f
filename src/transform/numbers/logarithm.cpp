#include "transform/numbers/logarithm.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "transform/numbers/wide_loop.hpp"

namespace headrace::transform::numbers {
namespace {

// Minimax over |f| <= 1/3 of the relative error of the whole: 2^-27.7.
constexpr float p[] = {0x1.555506p-2f, -0x1.fffefp-3f,  0x1.99d02ap-3f, -0x1.559dd6p-3f,
                       0x1.1ed6eap-3f, -0x1.f31048p-4f, 0x1.1e6798p-3f, -0x1.08075p-3f};
constexpr float log2_high = 0x1.62e4p-1f;  // of 15 bits: times an exponent, it is exact
constexpr float log2_low = 0x1.7f7d1cp-20f;
constexpr std::uint32_t two_thirds = 0x3f2aaaab;

inline float logarithm(float x) {
  const bool tiny = x < std::numeric_limits<float>::min();
  const float normal = tiny ? x * 0x1p23f : x;
  const auto bits = std::bit_cast<std::uint32_t>(normal);
  const auto e = static_cast<std::int32_t>(bits - two_thirds) >> 23;
  const float f = std::bit_cast<float>(bits - (static_cast<std::uint32_t>(e) << 23)) - 1.0f;
  const float k = static_cast<float>(tiny ? e - 23 : e);
  float sum = p[7];
  for (int i = 6; i >= 0; --i) sum = sum * f + p[i];
  const float square = f * f;
  const float rest = sum * (square * f) - 0.5f * square;
  const float whole = k * log2_high, first = whole + f, lost = f - (first - whole);
  const float result = first + (lost + (k * log2_low + rest));
  return x <= std::numeric_limits<float>::max() ? result : x;
}

}  // namespace

void take_logarithms(float* values, std::size_t n) {
  run_wide(
      [](float* x, std::size_t count) HEADRACE_KERNEL {
        for (std::size_t i = 0; i < count; ++i) x[i] = logarithm(x[i]);
      },
      values, n);
}

void take_logarithms(double* values, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) values[i] = std::log(values[i]);
}

}  // namespace headrace::transform::numbers
