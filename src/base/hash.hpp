// Hash of a sample number for the audit. Sums of it (mod 2^64) identify a multiset of samples, in any order.
#pragma once

#include <cstdint>
#include <span>

namespace headrace {

/// Murmur3's 64-bit finaliser after an odd offset, so that sample 0 counts too. Bijective.
constexpr std::uint64_t sample_hash(std::uint64_t sample) {
  std::uint64_t z = sample + 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 33)) * 0xff51afd7ed558ccdull;
  z = (z ^ (z >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return z ^ (z >> 33);
}

/// The sum of their hashes. Source: base/hash.cpp.
std::uint64_t hash_samples(std::span<const std::int64_t> samples);

}  // namespace headrace
