#include "service/blueprint/descriptors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace headrace::service::blueprint {

namespace {

/// A place of a trainer: ring, bell, connection, pidfd; and ring, bell and pidfd of one who was thrown out and lives.
constexpr std::uint64_t per_place = 7;
/// One of several replicas more: bell, connection, pidfd.
constexpr std::uint64_t per_replica = 3;
/// MPI over TCP has a connection for each pair of interfaces.
constexpr std::uint64_t per_stager = 2;
/// Files read and written by the way: data, log, metrics, /proc; and what comes with a message.
constexpr std::uint64_t for_files = 32;
/// Connection and pidfd of whoever stands at the front desk.
constexpr std::uint64_t per_caller = 2;
constexpr std::uint64_t least_callers = 16;

}  // namespace

DescriptorNeed descriptor_need(const config::Config& config, const job::Node& node, std::uint32_t local,
                               std::uint32_t stagers, std::uint64_t open) {
  const std::uint64_t here = node.stagers;
  const std::uint64_t places = (config.trainers_per_node + here - 1 - local) / here;  // by turns
  DescriptorNeed need;
  need.open = open;
  for (const auto& stream : config.streams) need.trainers += places * (per_place + (stream.replicas - 1) * per_replica);
  need.stagers = (stagers - here) * per_stager;
  need.others = for_files + (local == 0 ? least_callers * per_caller : 0);
  if (!config.scratch.empty()) need.others += 2 * here;  // the leader's own, and those that it shares
  return need;
}

void require_descriptors(const DescriptorNeed& need, std::uint64_t limit, const config::Config& config,
                         const job::Node& node) {
  const auto streams = config.streams.size();
  require(need.total() <= limit,
          fmt::format("too few file descriptors on {}: trainers-per-node = {}{} with {} stager{} there needs {} in one "
                      "stager ({} for trainers, {} for other nodes, {} open already, {} others), but {} are allowed "
                      "(the hard limit, ulimit -Hn); raise it, use more stagers, or lower trainers-per-node",
                      node.host, config.trainers_per_node, streams > 1 ? fmt::format(" of {} streams", streams) : "",
                      node.stagers, node.stagers == 1 ? "" : "s", need.total(), need.trainers, need.stagers, need.open,
                      need.others, limit));
}

std::uint64_t most_callers(const DescriptorNeed& need, std::uint64_t limit) {
  const auto rest = need.total() - std::min(need.total(), least_callers * per_caller);
  return std::max<std::uint64_t>(1, (limit - std::min(limit, rest)) / per_caller);
}

}  // namespace headrace::service::blueprint
