// What a stager has behind its trainers, made without files: topology, blueprint, a filled store, the supply.
#pragma once

#include <memory>

#include "job/node_links.hpp"
#include "mpi/agree.hpp"
#include "service/blueprint/world.hpp"
#include "service/delivery/supply.hpp"

namespace service_test {

using namespace headrace::job;
using namespace headrace::service::delivery;

struct Stager {
  Topology topology;
  Blueprint drawn;
  std::unique_ptr<store::NodeStore> store;
  std::unique_ptr<Supply> supply;

  /// Collective over world.
  Stager(const mpi::Comm& world, bool split_nodes, std::uint64_t samples, const std::vector<StreamConfig>& streams,
         std::vector<double> weights = {}, std::uint64_t chunk_rows = 1)
      : topology(Topology::discover(world, split_nodes)),
        drawn(blueprint(samples, streams, weights.empty() ? std::vector<double>(topology.stagers(), 1.0) : weights,
                        chunk_rows)) {
    drawn.trainers = static_cast<std::uint32_t>(topology.nodes.size());
    store::Layout layout(drawn.schema, drawn.rows_of_node(topology.here()));
    auto memfd = topology.is_leader() ? store::NodeStore::create(layout) : ipc::Fd();
    store = std::make_unique<store::NodeStore>(NodeLinks::make(topology).share(topology, std::move(memfd)), layout);
    store->reserve(topology.local(), 1);
    fill_slab(drawn, topology.me(), topology.local(), *store);
    supply = std::make_unique<Supply>(drawn, topology, *store);
    topology.all.barrier();
  }
};

}  // namespace service_test
