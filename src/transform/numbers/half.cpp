#include "transform/numbers/half.hpp"

#include <cstring>

#include "transform/numbers/wide_loop.hpp"

#if HEADRACE_AVX2
#include <immintrin.h>
#endif

namespace headrace::transform::numbers {
namespace {

constexpr std::uint32_t bits_of(float value) {
  return std::bit_cast<std::uint32_t>(value);
}

/// Exponents are moved by adding; subnormals are renormalised by a subtraction of floats.
inline float widen_half(std::uint16_t half) {
  constexpr std::uint32_t exponent = 0x7c00u << 13;
  std::uint32_t bits = (half & 0x7fffu) << 13;
  const std::uint32_t its_exponent = bits & exponent;
  bits += (127u - 15u) << 23;
  const std::uint32_t special = bits + ((128u - 16u) << 23);  // infinities and NaN
  const std::uint32_t subnormal = bits_of(std::bit_cast<float>(bits + (1u << 23)) - std::bit_cast<float>(113u << 23));
  bits = its_exponent == exponent ? special : its_exponent == 0 ? subnormal : bits;
  return std::bit_cast<float>(bits | (half & 0x8000u) << 16);
}

inline std::uint16_t narrow_half(float value) {
  const std::uint32_t all = bits_of(value), sign = all & 0x80000000u, bits = all ^ sign;
  // Adding this float leaves a subnormal half, rounded by the addition, in the last bits.
  constexpr std::uint32_t magic = ((127u - 15u) + (23u - 10u) + 1u) << 23;
  const std::uint32_t subnormal = bits_of(std::bit_cast<float>(bits) + std::bit_cast<float>(magic)) - magic;
  const std::uint32_t normal = (bits - (112u << 23) + 0xfffu + (bits >> 13 & 1u)) >> 13;
  const std::uint32_t special = bits > 0x7f800000u ? 0x7e00u | (bits >> 13 & 0x3ffu) : 0x7c00u;
  const std::uint32_t half = bits >= (127u + 16u) << 23 ? special : bits < 113u << 23 ? subnormal : normal;
  return static_cast<std::uint16_t>(half | sign >> 16);
}

inline std::uint16_t narrow_bfloat(float value) {
  const std::uint32_t bits = bits_of(value);
  const std::uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  const std::uint32_t nan = bits >> 16 | 0x40u;
  return static_cast<std::uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}

#if HEADRACE_AVX2
HEADRACE_TARGET void half_to_float_f16c(const std::uint16_t* in, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; i += 8)
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i))));
}

HEADRACE_TARGET void float_to_half_f16c(const float* in, std::size_t n, std::byte* out) {
  for (std::size_t i = 0; i < n; i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 2 * i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
#endif

}  // namespace

namespace portable {
void half_to_float(const std::uint16_t* in, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = widen_half(in[i]);
}

void float_to_half(const float* in, std::size_t n, std::byte* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint16_t half = narrow_half(in[i]);
    std::memcpy(out + 2 * i, &half, 2);
  }
}
}  // namespace portable

void half_to_float(const std::uint16_t* in, std::size_t n, float* out) {
  std::size_t done = 0;
#if HEADRACE_AVX2
  if (has_avx2) half_to_float_f16c(in, done = n / 8 * 8, out);
#endif
  portable::half_to_float(in + done, n - done, out + done);
}

void float_to_half(const float* in, std::size_t n, std::byte* out) {
  std::size_t done = 0;
#if HEADRACE_AVX2
  if (has_avx2) float_to_half_f16c(in, done = n / 8 * 8, out);
#endif
  portable::float_to_half(in + done, n - done, out + 2 * done);
}

void bfloat_to_float(const std::uint16_t* in, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = std::bit_cast<float>(static_cast<std::uint32_t>(in[i]) << 16);
}

void float_to_bfloat(const float* in, std::size_t n, std::byte* out) {
  run_wide(
      [](const float* from, std::size_t count, std::byte* to) HEADRACE_KERNEL {
        for (std::size_t i = 0; i < count; ++i) {
          const std::uint16_t word = narrow_bfloat(from[i]);
          std::memcpy(to + 2 * i, &word, 2);
        }
      },
      in, n, out);
}

}  // namespace headrace::transform::numbers
