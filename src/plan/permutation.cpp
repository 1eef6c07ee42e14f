#include "plan/permutation.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "base/contract.hpp"
#include "base/hash.hpp"

namespace headrace::plan {

namespace {

// Below this many bits a network has too few keys to reach every permutation of a handful of samples alike.
constexpr unsigned least_bits = 8;

unsigned domain_bits(std::uint64_t n) {
  return n < 2 ? least_bits : std::max<unsigned>(least_bits, static_cast<unsigned>(std::bit_width(n - 1)));
}

constexpr std::size_t chunk = 1024;  // lanes in hand: 8 KB of words, well inside the first cache

/// Lanes that only fill the last group.
template <class Word>
void fill_group(std::array<Word, chunk>& x, std::size_t count) {
  for (auto i = count; i % lane_group != 0; ++i) x[i] = 0;
}

/// Cycle walking: what the network sends beyond n goes through it again until it lands inside. The lanes still
/// outside are packed together before each pass, so that vectors stay full.
template <class Word>
void walk_chunk(const Network& network, Direction direction, Word n, std::span<Word> x) {
  std::array<std::uint16_t, chunk> outside;
  std::array<Word, chunk> packed;
  run_lanes(network, direction, x.data(), x.size());
  std::size_t left = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    outside[left] = static_cast<std::uint16_t>(i);
    left += x[i] >= n ? 1 : 0;  // no branch: it would be mispredicted
  }
  while (left > 0) {
    for (std::size_t k = 0; k < left; ++k) packed[k] = x[outside[k]];
    fill_group(packed, left);
    run_lanes(network, direction, packed.data(), left);
    std::size_t still = 0;
    for (std::size_t k = 0; k < left; ++k) {
      const auto lane = outside[k];
      x[lane] = packed[k];
      outside[still] = lane;
      still += packed[k] >= n ? 1 : 0;
    }
    left = still;
  }
}

/// value(i): what goes to out[i].
template <class Word, class Value>
void walk_lanes(const Network& network, Direction direction, std::uint64_t n, std::span<std::uint64_t> out,
                const Value& value) {
  std::array<Word, chunk> x;
  for (std::size_t done = 0; done < out.size(); done += chunk) {
    const std::size_t count = std::min(chunk, out.size() - done);
    for (std::size_t i = 0; i < count; ++i) x[i] = static_cast<Word>(value(done + i));
    fill_group(x, count);
    walk_chunk(network, direction, static_cast<Word>(n), std::span(x.data(), count));
    for (std::size_t i = 0; i < count; ++i) out[done + i] = x[i];
  }
}

template <class Value>
void walk(const Network& network, Direction direction, std::uint64_t n, std::span<std::uint64_t> out,
          const Value& value) {
  // n itself must fit the word too, as the bound that lanes are compared with.
  if (n <= std::numeric_limits<std::uint32_t>::max())
    walk_lanes<std::uint32_t>(network, direction, n, out, value);
  else
    walk_lanes<std::uint64_t>(network, direction, n, out, value);
}

}  // namespace

std::uint64_t epoch_key(std::uint64_t seed, std::string_view stream, std::uint64_t epoch) {
  std::uint64_t name = 0xcbf29ce484222325ull;  // FNV-1a
  for (const char c : stream) name = (name ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  // Chained through a bijective mixer: different epochs of one stream never share a key.
  return sample_hash(sample_hash(sample_hash(seed) ^ name) + epoch);
}

std::uint64_t batch_key(std::uint64_t epoch_key, std::uint64_t step, std::uint32_t trainer) {
  return sample_hash(sample_hash(sample_hash(epoch_key) + step) + trainer);
}

Permutation::Permutation(std::uint64_t n, std::uint64_t key) : n_(n), network_(domain_bits(n), key) {
  EXPECTS(n <= std::uint64_t{1} << 62);
}

std::uint64_t Permutation::operator()(std::uint64_t p) const {
  EXPECTS(p < n_);
  do p = network_.forward(p);
  while (p >= n_);
  return p;
}

std::uint64_t Permutation::inverse(std::uint64_t v) const {
  EXPECTS(v < n_);
  do v = network_.backward(v);
  while (v >= n_);
  return v;
}

void Permutation::evaluate(std::uint64_t first, std::span<std::uint64_t> out) const {
  EXPECTS(first <= n_ && out.size() <= n_ - first);
  walk(network_, Direction::forward, n_, out, [&](std::size_t i) { return first + i; });
}

void Permutation::evaluate(std::span<std::uint64_t> values) const {
  walk(network_, Direction::forward, n_, values, [&](std::size_t i) { return values[i]; });
}

void Permutation::invert(std::uint64_t first, std::span<std::uint64_t> out) const {
  EXPECTS(first <= n_ && out.size() <= n_ - first);
  walk(network_, Direction::backward, n_, out, [&](std::size_t i) { return first + i; });
}

}  // namespace headrace::plan
