#include "job/topology.hpp"

#include <algorithm>

#include "base/host_name.hpp"

namespace headrace::job {

namespace {

struct Seat {
  int leader = 0, local = 0, world = 0;
  auto operator<=>(const Seat&) const = default;
};

}  // namespace

std::vector<std::string> stager_names(const std::vector<Node>& nodes) {
  std::vector<std::string> names;
  for (const auto& node : nodes)
    for (std::uint32_t i = 0; i < node.stagers; ++i)
      names.push_back("stager " + std::to_string(names.size()) + " on " + node.host);
  return names;
}

Topology Topology::discover(const mpi::Comm& world, bool split_nodes) {
  const auto shared = split_nodes ? world.split(world.rank(), 0) : world.split_shared();
  const int leader = shared.allgather(world.rank()).front();
  auto seats = world.allgather(Seat{leader, shared.rank(), world.rank()});
  std::sort(seats.begin(), seats.end());
  const auto mine = std::find_if(seats.begin(), seats.end(), [&](const Seat& s) { return s.world == world.rank(); });

  auto all = world.split(0, static_cast<int>(mine - seats.begin()));
  auto node = all.split(leader, all.rank());
  Topology topology(std::move(all), std::move(node));
  const auto hosts = topology.all.allgather(host_name());
  for (std::size_t i = 0; i < seats.size(); ++i) {
    if (i == 0 || seats[i].leader != seats[i - 1].leader)
      topology.nodes.push_back({static_cast<std::uint32_t>(i), 0, hosts[i]});
    ++topology.nodes.back().stagers;
    topology.node_of_.push_back(static_cast<std::uint32_t>(topology.nodes.size() - 1));
  }
  topology.all.name_ranks(stager_names(topology.nodes));
  topology.my_node = topology.node_of_[topology.me()];
  topology.stagers_on_host = static_cast<std::uint32_t>(world.split_shared().size());
  return topology;
}

}  // namespace headrace::job
