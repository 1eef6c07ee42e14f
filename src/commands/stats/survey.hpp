// What `headrace stats` measures, and the sums that it becomes. Plain values.
#pragma once

#include <vector>

#include "data/fields/field_plan.hpp"
#include "job/topology.hpp"
#include "plan/placement.hpp"
#include "reader/load.hpp"
#include "transform/statistics.hpp"

namespace headrace::commands::stats {

/// Per field, per item.
using Tallies = std::vector<std::vector<transform::ItemStatistics>>;

/// What is measured, and over which samples.
struct Survey {
  const std::vector<data::fields::FieldPlan>& fields;  ///< resolved for measuring
  const catalog::Contents& contents;
  const catalog::Catalog& samples;   ///< the data set whose samples are numbered
  const plan::Members& members;      ///< of the stream
  const plan::Placement& placement;  ///< which stores these and no others
  const plan::Slab& slab;            ///< of this stager
  const job::Topology& topology;
  const reader::LoadOptions& options;
};

}  // namespace headrace::commands::stats
