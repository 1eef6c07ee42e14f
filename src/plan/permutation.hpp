// The order of an epoch: an invertible, stateless pseudo-random permutation of 0 .. n-1. No array of n anywhere.
// Immutable after construction; any thread. See ORDER.md.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace headrace::plan {

/// The key of one epoch of one stream: everything that decides its order.
std::uint64_t epoch_key(std::uint64_t seed, std::string_view stream, std::uint64_t epoch);

class Permutation {
 public:
  /// A permutation of 0 .. n-1 chosen by key. n may be 0.
  Permutation(std::uint64_t n, std::uint64_t key);

  std::uint64_t size() const { return n_; }
  /// Where position p goes; p < size().
  std::uint64_t operator()(std::uint64_t p) const;
  /// The position that goes to v; v < size().
  std::uint64_t inverse(std::uint64_t v) const;
  /// out[i] = (*this)(first + i), several lanes at a time; first + out.size() <= size().
  void evaluate(std::uint64_t first, std::span<std::uint64_t> out) const;

 private:
  std::uint64_t n_;
};

}  // namespace headrace::plan
