// The order of an epoch: an invertible, stateless pseudo-random permutation of 0 .. n-1. No array of n anywhere.
// Immutable after construction; any thread. See ORDER.md.
//
// 1. operator(), evaluate(), inverse() and invert() are one function and its inverse: they agree for every n <= 2^62.
// 2. The result depends on (n, key) alone: not on processor, compiler or number of lanes.
// 3. It walks in a power of two of at least 2^8 and less than 2n beyond that: two steps per element at most on average
//    (2^8/n for smaller n).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "plan/network.hpp"

namespace headrace::plan {

/// The key of one epoch of one stream: everything that decides its order.
std::uint64_t epoch_key(std::uint64_t seed, std::string_view stream, std::uint64_t epoch);

/// The key of the order of rows within the batch of one trainer in one step of that epoch (order = shuffled).
std::uint64_t batch_key(std::uint64_t epoch_key, std::uint64_t step, std::uint32_t trainer);

class Permutation {
 public:
  /// A permutation of 0 .. n-1 chosen by key; n <= 2^62. n may be 0.
  Permutation(std::uint64_t n, std::uint64_t key);

  std::uint64_t size() const { return n_; }
  /// Where position p goes; p < size(). Some 25 ns: for many positions use evaluate().
  std::uint64_t operator()(std::uint64_t p) const;
  /// The position that goes to v; v < size().
  std::uint64_t inverse(std::uint64_t v) const;
  /// out[i] = (*this)(first + i), several lanes at a time; first + out.size() <= size(). About 1 ns each.
  void evaluate(std::uint64_t first, std::span<std::uint64_t> out) const;
  /// values[i] = (*this)(values[i]), several lanes at a time; all below size(). About 1 ns each.
  void evaluate(std::span<std::uint64_t> values) const;
  /// out[i] = inverse(first + i), several lanes at a time; first + out.size() <= size(). About 1 ns each.
  void invert(std::uint64_t first, std::span<std::uint64_t> out) const;

 private:
  std::uint64_t n_;
  Network network_;
};

}  // namespace headrace::plan
