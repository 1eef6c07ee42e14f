// From the files into the store, in the one order in which that can be: what no file holds, which records are real, the
// rows of samples, the rows of tables, and what needs several of them.
#pragma once

#include <span>

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
  std::span<const reader::Interval> intervals;  ///< of this stager's samples, to read
  const reader::LoadOptions& options;
};

/// Collective over all stagers. Errors name the field, the file and the row.
reader::LoadReport fill_store(const Filling& filling, store::NodeStore& store);

}  // namespace headrace::service::loading
