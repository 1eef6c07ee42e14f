#include "job/neighbours.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <future>
#include <optional>

#include "log/log.hpp"
#include "mpi/agree.hpp"

namespace headrace::job {

namespace {

constexpr std::chrono::seconds per_address{3};
constexpr std::chrono::seconds for_all{15};

/// Which lines a leader has got.
struct Ties {
  bool there = false, from = false;
};

}  // namespace

std::vector<Neighbour> find_neighbours(const Topology& topology, double timeout) {
  const auto nodes = topology.nodes.size();
  if (topology.all.max(timeout) <= 0 || nodes == 1) return {};
  const auto mooring =
      mpi::together(topology.all, [&] { return topology.is_leader() ? std::make_unique<ipc::Mooring>() : nullptr; });
  const auto addresses = topology.all.allgather(mooring ? mooring->address() : std::string());
  const auto& next = topology.nodes[(topology.my_node + 1) % nodes];
  const auto& before = topology.nodes[(topology.my_node + nodes - 1) % nodes];
  const std::string& here = topology.here().host;
  std::optional<ipc::Lifeline> there, from;  // to the next node, from the one before
  mpi::together(topology.all, [&] {
    if (!mooring) return;
    std::future<std::optional<ipc::Lifeline>> coming;
    if (before.host != here) coming = std::async(std::launch::async, [&] { return mooring->accept(for_all); });
    if (next.host != here) there = ipc::tie(addresses[next.first], per_address);
    if (coming.valid()) from = coming.get();
  });
  // One that waited in vain has let go of what the other end may just have taken for a line.
  const auto ties = topology.all.allgather(Ties{there.has_value(), from.has_value()});
  std::vector<Neighbour> found;
  if (!mooring) return found;
  if (there && ties[next.first].from)
    found.push_back({next.host, std::move(*there)});
  else if (next.host != here)
    log::warn("no network leads from {} to {} ({}), or none as fast as {} s: if that node loses power only the "
              "launcher may notice",
              here, next.host, addresses[next.first].substr(addresses[next.first].find(' ') + 1), per_address.count());
  if (from && ties[before.first].there) found.push_back({before.host, std::move(*from)});
  if (timeout > 0)
    for (const auto& neighbour : found) neighbour.line.watch(std::chrono::seconds(std::lround(timeout)));
  return found;
}

}  // namespace headrace::job
