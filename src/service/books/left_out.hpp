// The part of an epoch that no trainer was to release: positions beyond the last full batch (last = drop), and the
// steps in front of a seek. Its sum of hashes is what the audit takes off the stream's. Where only the data know a
// stream's samples, each node knows its own, so that it is worked out node by node and added up. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "service/blueprint/blueprint.hpp"

namespace headrace::service::books {

struct LeftOut {
  std::uint32_t stream = 0;
  std::uint64_t session = 0, epoch = 0;
  std::vector<std::uint64_t> first_steps;  ///< of each trainer: where it began

  auto operator<=>(const LeftOut&) const = default;
};

/// How many positions that are.
std::uint64_t left_out_rows(const blueprint::Blueprint& blueprint, const LeftOut& what);

/// The sum over those of them that stagers [first_stager, last_stager) hold; the stream's members there are known here.
std::uint64_t left_out_hash(const blueprint::Blueprint& blueprint, std::uint64_t seed, const LeftOut& what,
                            std::uint32_t first_stager, std::uint32_t last_stager);

}  // namespace headrace::service::books
