// What a service does for rows that lie on disks of its nodes: decides which, makes the files, says how fast they are.
// Every function is collective over all stagers, but where it says otherwise.
#pragma once

#include <cstdint>
#include <vector>

#include "config/config.hpp"
#include "job/topology.hpp"
#include "service/blueprint/blueprint.hpp"
#include "service/host/host.hpp"
#include "store/node_store.hpp"

namespace headrace::service {

/// What the store of each node may take.
struct StoreBudgets {
  std::vector<std::uint64_t> bytes;      ///< where all rows fit so, nobody asks for a disk
  std::vector<std::uint64_t> with_disk;  ///< else; not all that happens to be free, where `memory` says no less
};

/// available: memory of this node; reserved: what it needs beside the store.
StoreBudgets store_budgets(const config::Config& config, const job::Topology& topology, std::uint64_t available,
                           std::uint64_t reserved);

/// What counts where it is decided who holds how much: where the rows do not fit all memories together, disks or windows
/// take the rest, and one node is as good as another. Not collective.
std::vector<std::uint64_t> budgets_to_weigh(const config::Config& config, const StoreBudgets& budgets,
                                            std::uint64_t total_bytes);

/// Decides which rows go to disks, if any have to and `scratch` allows it. Not collective: the same on every stager.
void settle_residence(const config::Config& config, const job::Topology& topology, const StoreBudgets& budgets,
                      blueprint::Blueprint& blueprint);

/// Files for all stagers of this node. Error that names folder, node and what is missing.
std::vector<store::Scratch> make_scratch(const config::Config& config, const blueprint::Blueprint& blueprint,
                                         const job::Topology& topology, host::Host& host);

/// Reads for a moment, and tells what the disks give, and so what can be delivered.
void tell_rate(const config::Config& config, const blueprint::Blueprint& blueprint, const job::Topology& topology,
               const store::NodeStore& store, host::Host& host);

/// "; or name a folder on a disk of each node for the rest: scratch = DIR (12 GB there)": the end of a message about
/// too little memory; "" where there is a disk already. Not collective.
std::string way_out_by_disk(const config::Config& config, const blueprint::Blueprint& blueprint, const job::Node& node);

}  // namespace headrace::service
