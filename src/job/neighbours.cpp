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

}  // namespace

std::vector<Neighbour> find_neighbours(const Topology& topology, double timeout) {
  const auto nodes = topology.nodes.size();
  if (topology.all.max(timeout) <= 0 || nodes == 1) return {};
  const auto mooring =
      mpi::together(topology.all, [&] { return topology.is_leader() ? std::make_unique<ipc::Mooring>() : nullptr; });
  const auto addresses = topology.all.allgather(mooring ? mooring->address() : std::string());
  std::vector<Neighbour> found;
  mpi::together(topology.all, [&] {
    if (!mooring) return;
    const auto& next = topology.nodes[(topology.my_node + 1) % nodes];
    const auto& before = topology.nodes[(topology.my_node + nodes - 1) % nodes];
    const std::string& here = topology.here().host;
    std::future<std::optional<ipc::Lifeline>> coming;
    if (before.host != here) coming = std::async(std::launch::async, [&] { return mooring->accept(for_all); });
    if (next.host != here) {
      if (auto line = ipc::tie(addresses[next.first], per_address))
        found.push_back({next.host, std::move(*line)});
      else
        log::warn("no network leads from {} to {} ({}): if that node loses power only the launcher may notice", here,
                  next.host, addresses[next.first].substr(addresses[next.first].find(' ') + 1));
    }
    if (!coming.valid()) return;
    if (auto line = coming.get()) found.push_back({before.host, std::move(*line)});
  });
  if (timeout > 0)
    for (const auto& neighbour : found) neighbour.line.watch(std::chrono::seconds(std::lround(timeout)));
  return found;
}

}  // namespace headrace::job
