// Bits of a 64-bit word, counted and found by arithmetic on all its bytes at once: compilers may not assume that every
// processor counts bits by an instruction, and a call for each word costs more. Pure.
#pragma once

#include <array>
#include <cstdint>

namespace headrace::plan {

namespace word_bits {
constexpr std::uint64_t ones = 0x0101010101010101;

/// In byte b: how many bits of the word are set in the bytes 0 .. b.
constexpr std::uint64_t running_counts(std::uint64_t word) {
  word -= word >> 1 & 0x5555555555555555;
  word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
  return ((word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f) * ones;
}

/// [k << 8 | byte]: place of its k-th set bit.
constexpr auto nth_bit_of_byte = [] {
  std::array<std::uint8_t, 8 << 8> places{};
  for (unsigned byte = 0; byte < 256; ++byte)
    for (unsigned bit = 0, k = 0; bit < 8; ++bit)
      if ((byte >> bit & 1) != 0) places[k++ << 8 | byte] = static_cast<std::uint8_t>(bit);
  return places;
}();
}  // namespace word_bits

constexpr std::uint64_t count_bits(std::uint64_t word) {
  return word_bits::running_counts(word) >> 56;
}

/// Place of the k-th set bit (from 0) of a word that has more than k.
constexpr unsigned nth_bit(std::uint64_t word, std::uint64_t k) {
  const auto counts = word_bits::running_counts(word);
  // A byte's topmost bit stays where no more than k bits are set up to there: as many bytes lie in front.
  const auto in_front = (((k * word_bits::ones | 0x8080808080808080) - counts) & 0x8080808080808080) >> 7;
  const auto place = static_cast<unsigned>(in_front * word_bits::ones >> 56) * 8;
  return place + word_bits::nth_bit_of_byte[(k - ((counts << 8) >> place & 0xff)) << 8 | (word >> place & 0xff)];
}

constexpr std::uint64_t low_bits(std::uint64_t n) {
  return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
}

}  // namespace headrace::plan
