// What a stager has behind its trainers, made without files: topology, blueprint, a filled store, the supply.
#pragma once

#include <filesystem>
#include <memory>
#include <stdexcept>

#include "job/node_links.hpp"
#include "mpi/agree.hpp"
#include "service/blueprint/world.hpp"
#include "service/delivery/supply.hpp"
#include "store/scratch_writer.hpp"

namespace service_test {

using namespace headrace::job;
using namespace headrace::service::delivery;

struct Stager {
  Topology topology;
  Blueprint drawn;
  std::unique_ptr<store::NodeStore> store;
  std::unique_ptr<Supply> supply;
  std::unique_ptr<store::ScratchReaders> readers;

  /// Collective over world. in_memory: share of the rows; the others lie on a disk.
  Stager(const mpi::Comm& world, bool split_nodes, std::uint64_t samples, const std::vector<StreamConfig>& streams,
         std::vector<double> weights = {}, std::uint64_t chunk_rows = 1, double in_memory = 1)
      : topology(Topology::discover(world, split_nodes)),
        drawn(blueprint(samples, streams, weights.empty() ? std::vector<double>(topology.stagers(), 1.0) : weights,
                        chunk_rows)) {
    drawn.trainers = static_cast<std::uint32_t>(topology.nodes.size());
    for (std::uint32_t s = 0; s < topology.stagers() && in_memory < 1; ++s)
      drawn.in_memory.push_back(static_cast<std::uint64_t>(in_memory * static_cast<double>(drawn.placement.rows(s))));
    store::Layout layout(drawn.schema, drawn.rows_in_memory_of(topology.here()));
    auto memfd = topology.is_leader() ? store::NodeStore::create(layout) : ipc::Fd();
    store = std::make_unique<store::NodeStore>(NodeLinks::make(topology).share(topology, std::move(memfd)), layout);
    store->reserve(topology.local(), 1);
    fill_slab(drawn, topology.me(), topology.local(), *store);
    supply = std::make_unique<Supply>(drawn, topology, *store);
    if (drawn.on_disk()) put_on_disk();
    topology.all.barrier();
  }

 private:
  void put_on_disk() {
    const auto folder = std::filesystem::temp_directory_path().string();
    const auto links = NodeLinks::make(topology);
    const auto rows = drawn.rows_of_node(topology.here()), here = drawn.rows_in_memory_of(topology.here());
    std::vector<store::Scratch> scratch;
    for (std::size_t s = 0; s < rows.size(); ++s) {
      const store::Records records(drawn.schema, rows[s] - here[s]);
      auto mine =
          topology.is_leader() ? store::ScratchFile::create(folder, records.file_bytes()).fd().duplicate() : ipc::Fd();
      scratch.push_back({store::ScratchFile(links.share(topology, std::move(mine)), folder), records});
    }
    const auto local = topology.local();
    std::vector<std::vector<std::byte>> memory;
    std::vector<std::byte*> columns;
    for (const auto& field : drawn.schema)
      columns.push_back(memory.emplace_back((rows[local] - here[local]) * field.row_bytes()).data());
    write_rows(drawn, topology.me(), here[local], rows[local], columns);
    store::write_rows(scratch[local], {0, rows[local] - here[local], {columns.begin(), columns.end()}}, 1);
    store->add_scratch(std::move(scratch));
    readers = std::make_unique<store::ScratchReaders>(store->scratch(), 4,
                                                      [](const std::string& what) { throw std::logic_error(what); });
    supply->connect(*readers);
  }
};

}  // namespace service_test
