// From the files into the store, in the one order in which that can be: what no file holds, which records are real, the
// rows of samples, the rows of tables, and what needs several of them.
//
// Where the store has a disk for a part of the rows, these come first, pane by pane through the memory that the other
// rows will take: while one pane is written the next is read. Panes are small, but where there are joins: then as large
// as can be.
//
//   memory   | pane 0 | pane 1 |            |     rows k ... of the slab:  files -> pane 0 -> disk
//                                                                                   files -> pane 1 -> disk ...
//            | rows 0 ... k-1 of the slab   |     last, as where all rows are in memory
#pragma once

#include <cstdint>

#include "job/topology.hpp"
#include "reader/load.hpp"
#include "service/blueprint/blueprint.hpp"
#include "store/node_store.hpp"

namespace headrace::service::loading {

/// What is read, and how.
struct Filling {
  const blueprint::Blueprint& blueprint;
  const job::Topology& topology;
  const catalog::Contents& contents;
  const reader::LoadOptions& options;
  std::uint64_t gap = 0;  ///< so many samples are read along rather than left out
};

/// Collective over all stagers. Errors name the field, the file and the row.
reader::LoadReport fill_store(const Filling& filling, store::NodeStore& store);

}  // namespace headrace::service::loading
