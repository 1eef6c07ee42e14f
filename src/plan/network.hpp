// The permutation of 0 .. 2^bits-1 that stands behind Permutation, and the loops that run it over many lanes. Stateless
// but for its keys; any thread. Only permutation.cpp uses it.
//
// One round, on words of `bits` bits:
//     x = (x * odd + addend) mod 2^bits     carries low bits upwards: high half += f(low half)
//     x = x ^ (x >> shift)                  carries the high half downwards: low half ^= high half
// which is a Feistel step in each direction at the price of five vector instructions. With shift >= bits/2 the second
// line is its own inverse, so that both directions cost the same. Half-words of a classic Feistel network would need
// some 20 rounds of about six instructions each for what a handful of these do (VariablePhilox uses 24).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace headrace::plan {

struct Network {
  /// Differences of neighbours betray 4 rounds at some widths; no test that we have tells 5 from a random permutation.
  static constexpr unsigned rounds = 8;

  std::array<std::uint64_t, rounds> multiplier{}, unmultiplier{}, addend{};
  std::uint64_t mask = 0;
  unsigned shift = 0;

  /// Domain 2^bits, 2 <= bits <= 64; all keys from `key`.
  Network(unsigned bits, std::uint64_t key);

  template <class Word>
  [[gnu::always_inline]] Word forward(Word x) const {
    for (unsigned r = 0; r < rounds; ++r) {
      x = (x * static_cast<Word>(multiplier[r]) + static_cast<Word>(addend[r])) & static_cast<Word>(mask);
      x ^= x >> shift;
    }
    return x;
  }
  template <class Word>
  [[gnu::always_inline]] Word backward(Word x) const {
    for (unsigned r = rounds; r-- > 0;) {
      x ^= x >> shift;
      x = (x - static_cast<Word>(addend[r])) * static_cast<Word>(unmultiplier[r]) & static_cast<Word>(mask);
    }
    return x;
  }
};

enum class Direction { forward, backward };
enum class Isa { any, avx2, avx512 };

bool supported(Isa isa);  ///< by this processor
Isa best_isa();

/// Lanes are processed in groups of this many.
constexpr std::size_t lane_group = 16;

/// x[i] = network(x[i]) for i < count, rounded up to whole groups (so x must have room for that), with the widest
/// vectors of this processor. 32-bit words serve domains up to 2^32.
void run_lanes(const Network& network, Direction direction, std::uint32_t* x, std::size_t count, Isa isa = best_isa());
void run_lanes(const Network& network, Direction direction, std::uint64_t* x, std::size_t count, Isa isa = best_isa());

}  // namespace headrace::plan
