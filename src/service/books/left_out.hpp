// What the samples of an epoch add up to, by their hashes: so many times all members of each set, less what is left
// out.
//
//   left out   positions beyond the last full batch (last = drop), and the steps in front of a seek; of a mix, too,
//              what lacks in a permutation of a class that the epoch takes more than half of (of others it takes a part
//              more, which is left out a negative time); so is what an epoch draws beyond what all epochs have
//
// Where only the data know a stream's samples, each node knows its own, so that what is left out is worked out node by
// node and added up. Sums are modulo 2^64. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "service/blueprint/blueprint.hpp"
#include "service/books/walked.hpp"

namespace headrace::service::books {

struct LeftOut {
  std::uint32_t stream = 0;
  std::uint64_t session = 0, epoch = 0;
  std::vector<std::uint64_t> first_steps;  ///< of each trainer: where it began

  auto operator<=>(const LeftOut&) const = default;
};

/// How many positions that are, which nobody was to release.
std::uint64_t left_out_rows(const blueprint::Blueprint& blueprint, const LeftOut& what);
/// Whether it is nothing at all, of any kind.
bool nothing_left_out(const blueprint::Blueprint& blueprint, std::uint64_t seed, const LeftOut& what);
/// The sum over all that is left out of. set_hashes: of all members of each set of the stream.
std::uint64_t whole_hash(const blueprint::Blueprint& blueprint, std::uint64_t seed, const LeftOut& what,
                         std::span<const std::uint64_t> set_hashes);

/// The sum over what is left out that stagers [first_stager, last_stager) hold. strata: what the stream has in that epoch;
/// its members there are known here. walked: what this remembers of earlier epochs, for these stagers.
std::uint64_t left_out_hash(const blueprint::Blueprint& blueprint, const plan::Strata& strata, std::uint64_t seed,
                            const LeftOut& what, std::uint32_t first_stager, std::uint32_t last_stager,
                            Walked* walked = nullptr);

/// Where epochs have the same samples.
inline std::uint64_t left_out_hash(const blueprint::Blueprint& blueprint, std::uint64_t seed, const LeftOut& what,
                                   std::uint32_t first_stager, std::uint32_t last_stager) {
  return left_out_hash(blueprint, blueprint.strata[what.stream], seed, what, first_stager, last_stager);
}

}  // namespace headrace::service::books
