// How many file descriptors a stager needs: pure arithmetic, for the check at start. Whoever has too few for its
// trainers would refuse the last of them after hours, or end with them.
#pragma once

#include <cstdint>
#include <string>

#include "config/config.hpp"
#include "job/topology.hpp"

namespace headrace::service::blueprint {

struct DescriptorNeed {
  std::uint64_t open = 0;      ///< already
  std::uint64_t trainers = 0;  ///< their rings, bells, connections and processes
  std::uint64_t stagers = 0;   ///< connections between stagers that MPI makes when they are first used
  std::uint64_t others = 0;    ///< files that are read and written, callers at the front desk
  std::uint64_t total() const { return open + trainers + stagers + others; }
};

/// Of stager `local` of a node, which has `open` descriptors; stagers: of the whole service.
DescriptorNeed descriptor_need(const config::Config& config, const job::Node& node, std::uint32_t local,
                               std::uint32_t stagers, std::uint64_t open);

/// Error that names node, limit and figure where the limit is lower than the need.
void require_descriptors(const DescriptorNeed& need, std::uint64_t limit, const config::Config& config,
                         const job::Node& node);

/// How many callers the front desk of such a stager may hold at once: what is left by the rest, at least one.
std::uint64_t most_callers(const DescriptorNeed& need, std::uint64_t limit);

}  // namespace headrace::service::blueprint
