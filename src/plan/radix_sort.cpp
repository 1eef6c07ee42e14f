#include "plan/radix_sort.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

namespace headrace::plan {

namespace {

constexpr unsigned most_bits = 11;  // of a digit: 2048 counters of 4 bytes stay in the first cache

/// A pass costs a nanosecond or so per key and a third of one per counter: wide digits for many keys.
unsigned digit_bits(std::size_t keys, unsigned key_bits) {
  const unsigned affordable = std::clamp<unsigned>(static_cast<unsigned>(std::bit_width(keys)) - 2, 4, most_bits);
  const unsigned passes = (key_bits + affordable - 1) / affordable;
  return (key_bits + passes - 1) / passes;
}

void pass(std::span<const std::uint64_t> from, std::uint64_t* to, unsigned shift, unsigned bits) {
  std::array<std::uint32_t, std::size_t{1} << most_bits> place;
  const std::size_t values = std::size_t{1} << bits;
  const std::uint64_t mask = values - 1;
  std::fill_n(place.begin(), values, 0);
  for (const auto key : from) ++place[key >> shift & mask];
  std::uint32_t sum = 0;
  for (std::size_t v = 0; v < values; ++v) {
    const auto count = place[v];
    place[v] = sum;
    sum += count;
  }
  for (const auto key : from) to[place[key >> shift & mask]++] = key;
}

}  // namespace

void radix_sort(std::span<std::uint64_t> keys, std::uint64_t limit, std::vector<std::uint64_t>& scratch) {
  if (keys.size() < 32) return std::sort(keys.begin(), keys.end());
  const auto key_bits = std::max<unsigned>(1, static_cast<unsigned>(std::bit_width(limit - 1)));
  const unsigned bits = digit_bits(keys.size(), key_bits);
  if (scratch.size() < keys.size()) scratch.resize(keys.size());
  std::span<std::uint64_t> from = keys, to(scratch.data(), keys.size());
  for (unsigned shift = 0; shift < key_bits; shift += bits) {
    pass(from, to.data(), shift, bits);
    std::swap(from, to);
  }
  if (from.data() != keys.data()) std::copy(from.begin(), from.end(), keys.begin());
}

void sorting_order(std::span<const std::uint64_t> keys, std::vector<std::uint32_t>& order) {
  order.resize(keys.size());
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  std::ranges::sort(order, [&](auto a, auto b) { return keys[a] != keys[b] ? keys[a] < keys[b] : a < b; });
}

}  // namespace headrace::plan
