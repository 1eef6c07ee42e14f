// The transposition of bits, apart from what is around it: the one loop here that must be fast.
#include <bit>
#include <cstdint>
#include <cstring>

#include "h5/codecs/bitshuffle.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace headrace::h5::codecs {

namespace {

// Eight bytes as a matrix of bits, turned over its diagonal.
std::uint64_t transpose(std::uint64_t x) {
  const auto swap = [&](std::uint64_t mask, int shift) {
    const auto moved = (x ^ (x >> shift)) & mask;
    x ^= moved ^ (moved << shift);
  };
  swap(0x00aa00aa00aa00aaULL, 7);
  swap(0x0000cccc0000ccccULL, 14);
  swap(0x00000000f0f0f0f0ULL, 28);
  return x;
}

// Bytes [j, j_end) of the elements of groups [i, n / 8), one by one.
void scalar(const std::byte* from, std::size_t n, std::size_t size, std::size_t j, std::size_t j_end, std::size_t i,
            std::byte* to) {
  const auto groups = n / 8;
  for (; j < j_end; ++j)
    for (auto g = i; g < groups; ++g) {
      std::uint64_t bits = 0;
      for (std::size_t k = 0; k < 8; ++k)
        bits |= std::to_integer<std::uint64_t>(from[(8 * j + k) * groups + g]) << (8 * k);
      bits = transpose(bits);
      for (std::size_t m = 0; m < 8; ++m) to[(8 * g + m) * size + j] = static_cast<std::byte>(bits >> (8 * m));
    }
}

#if defined(__x86_64__)

// Of 16 groups, the eight bits planes of byte j: out[q] holds groups 2q and 2q + 1, eight planes each.
inline void planes(const std::byte* from, std::size_t groups, std::size_t j, std::size_t i, __m128i (&out)[8]) {
  __m128i r[8];
  for (std::size_t k = 0; k < 8; ++k)
    r[k] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + (8 * j + k) * groups + i));
  const auto half = [&](auto low_or_high, __m128i* to) {
    const auto a = low_or_high(r[0], r[1]), b = low_or_high(r[2], r[3]), c = low_or_high(r[4], r[5]),
               d = low_or_high(r[6], r[7]);
    const auto ab0 = _mm_unpacklo_epi16(a, b), ab1 = _mm_unpackhi_epi16(a, b);
    const auto cd0 = _mm_unpacklo_epi16(c, d), cd1 = _mm_unpackhi_epi16(c, d);
    to[0] = _mm_unpacklo_epi32(ab0, cd0);
    to[1] = _mm_unpackhi_epi32(ab0, cd0);
    to[2] = _mm_unpacklo_epi32(ab1, cd1);
    to[3] = _mm_unpackhi_epi32(ab1, cd1);
  };
  half([](__m128i x, __m128i y) { return _mm_unpacklo_epi8(x, y); }, out);
  half([](__m128i x, __m128i y) { return _mm_unpackhi_epi8(x, y); }, out + 4);
}

template <class Word>
inline void put(std::byte* at, unsigned bits) {
  const auto word = static_cast<Word>(bits);
  std::memcpy(at, &word, sizeof word);
}

// Sixteen groups of eight elements, one byte of each.
inline void sixteen_by_one(const std::byte* from, std::size_t groups, std::size_t size, std::size_t j, std::size_t i,
                           std::byte* to) {
  __m128i x[8];
  planes(from, groups, j, i, x);
  for (std::size_t q = 0; q < 8; ++q)
    for (std::size_t m = 8; m-- > 0;) {
      const auto bits = static_cast<unsigned>(_mm_movemask_epi8(x[q]));
      auto* at = to + (8 * (i + 2 * q) + m) * size + j;
      put<std::uint8_t>(at, bits);
      put<std::uint8_t>(at + 8 * size, bits >> 8);
      x[q] = _mm_add_epi8(x[q], x[q]);
    }
}

// The same, two neighbouring bytes at a time.
inline void sixteen_by_two(const std::byte* from, std::size_t groups, std::size_t size, std::size_t j, std::size_t i,
                           std::byte* to) {
  __m128i x[8], y[8];
  planes(from, groups, j, i, x);
  planes(from, groups, j + 1, i, y);
  for (std::size_t q = 0; q < 8; ++q) {
    auto first = _mm_unpacklo_epi64(x[q], y[q]), second = _mm_unpackhi_epi64(x[q], y[q]);
    for (std::size_t m = 8; m-- > 0;) {
      auto* at = to + (8 * (i + 2 * q) + m) * size + j;
      put<std::uint16_t>(at, static_cast<unsigned>(_mm_movemask_epi8(first)));
      put<std::uint16_t>(at + 8 * size, static_cast<unsigned>(_mm_movemask_epi8(second)));
      first = _mm_add_epi8(first, first);
      second = _mm_add_epi8(second, second);
    }
  }
}

// And four, where the processor can.
__attribute__((target("avx2"))) inline void sixteen_by_four(const std::byte* from, std::size_t groups, std::size_t size,
                                                            std::size_t j, std::size_t i, std::byte* to) {
  __m128i a[8], b[8], c[8], d[8];
  planes(from, groups, j, i, a);
  planes(from, groups, j + 1, i, b);
  planes(from, groups, j + 2, i, c);
  planes(from, groups, j + 3, i, d);
  for (std::size_t q = 0; q < 8; ++q) {
    auto first = _mm256_set_m128i(_mm_unpacklo_epi64(c[q], d[q]), _mm_unpacklo_epi64(a[q], b[q]));
    auto second = _mm256_set_m128i(_mm_unpackhi_epi64(c[q], d[q]), _mm_unpackhi_epi64(a[q], b[q]));
    for (std::size_t m = 8; m-- > 0;) {
      auto* at = to + (8 * (i + 2 * q) + m) * size + j;
      put<std::uint32_t>(at, static_cast<unsigned>(_mm256_movemask_epi8(first)));
      put<std::uint32_t>(at + 8 * size, static_cast<unsigned>(_mm256_movemask_epi8(second)));
      first = _mm256_add_epi8(first, first);
      second = _mm256_add_epi8(second, second);
    }
  }
}

void vectors(const std::byte* from, std::size_t n, std::size_t size, std::byte* to) {
  static const bool wide = __builtin_cpu_supports("avx2");
  const auto groups = n / 8;
  std::size_t i = 0;
  for (; i + 16 <= groups; i += 16) {
    std::size_t j = 0;
    if (wide)
      for (; j + 4 <= size; j += 4) sixteen_by_four(from, groups, size, j, i, to);
    for (; j + 2 <= size; j += 2) sixteen_by_two(from, groups, size, j, i, to);
    for (; j < size; ++j) sixteen_by_one(from, groups, size, j, i, to);
  }
  scalar(from, n, size, 0, size, i, to);
}

#endif

}  // namespace

void unbitshuffle(const std::byte* from, std::size_t elements, std::size_t element_bytes, std::byte* to) {
#if defined(__x86_64__)
  vectors(from, elements, element_bytes, to);
#else
  scalar(from, elements, element_bytes, 0, element_bytes, 0, to);
#endif
}

}  // namespace headrace::h5::codecs
