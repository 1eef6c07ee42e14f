// A run of a stager's rows, and the memory that they are brought to: the whole slab where it lies in the store, or a
// part of it that goes on to a disk. A plain value.
#pragma once

#include <cstdint>
#include <vector>

#include "job/topology.hpp"
#include "plan/slabs.hpp"
#include "service/blueprint/blueprint.hpp"
#include "store/node_store.hpp"

namespace headrace::service::loading {

struct Pane {
  plan::Slab samples;                     ///< of the slab; the rows are all the stored ones among them
  std::uint64_t first_row = 0, rows = 0;  ///< of the slab
  std::vector<std::byte*> columns;        ///< per array of the schema: where the first of the rows goes
};

/// The rows of this stager that the store keeps in memory: all of them, unless it has a disk for the rest.
Pane rows_in_memory(const blueprint::Blueprint& blueprint, const job::Topology& topology, store::NodeStore& store);

/// Rows [first, first + count) of the slab, in no memory yet.
Pane rows_of_slab(const blueprint::Blueprint& blueprint, std::uint32_t stager, std::uint64_t first,
                  std::uint64_t count);

/// As many rows from `first` on as make a pane of at most `most` (at least 1) that ends where a chunk does, if any ends
/// within it: else two panes would decode the same one.
std::uint64_t rows_to_chunk_end(const blueprint::Blueprint& blueprint, std::uint32_t stager, std::uint64_t first,
                                std::uint64_t most);

}  // namespace headrace::service::loading
