#include "service/early_start.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "data/selection/mixing.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"
#include "service/blueprint/blocks.hpp"
#include "service/blueprint/windows.hpp"
#include "service/window_order.hpp"

namespace headrace::service {

namespace {

void require_no_joins(const blueprint::Blueprint& blueprint) {
  for (const auto& plan : blueprint.fields)
    require(
        !plan.join,
        fmt::format("field '{}': rows of tables (join) lie anywhere in their files, so they cannot be delivered while "
                    "these are read (start = early); leave start out, which has all samples in memory or on a disk "
                    "of each node (scratch = \"DIR\") before the first batch, or leave the field out",
                    blueprint.schema[plan.array].name));
}

}  // namespace

bool choose_early(const config::Config& config, const job::Topology& topology, blueprint::Blueprint& blueprint) {
  if (config.start != config::Start::early) return false;
  return mpi::together(topology.all, [&] {
    require_no_joins(blueprint);
    for (std::size_t s = 0; s < blueprint.streams.size(); ++s)
      blueprint::require_windows_possible(config.start, config.streams[s], blueprint.streams[s],
                                          data::selection::mixes(config.streams[s]), false);
    blueprint.blocks = blueprint::blocks_of(blueprint.catalog, config.block);
    if (blueprint.blocks.size() > 1) return true;
    blueprint.blocks = {};
    return false;
  });
}

void lay_out_early(const config::Config& config, const job::Topology& topology, blueprint::Blueprint& blueprint) {
  for (std::size_t s = 0; s < blueprint.streams.size(); ++s) {
    auto& stream = blueprint.streams[s];
    if (stream.shuffle == plan::Shuffle::none) continue;
    auto first = first_ordinals(blueprint.strata[s].sets()[0], blueprint.placement.slabs(), blueprint.blocks, topology);
    mpi::together(topology.all, [&] {
      stream.shuffle_in(std::make_shared<const plan::Windows>(
          plan::Windows::alike(std::move(first), blueprint::early_windows, blueprint::early_key(config.seed))));
      stream.windows_at_start = true;
    });
  }
}

void settle_arrival(const config::Config& config, const job::Topology& topology, blueprint::Blueprint& blueprint) {
  if (blueprint.on_disk()) {
    if (topology.me() == 0)  // warnings are spoken by all
      log::warn(
          "start = early: a part of the samples goes to a disk, so that all are read before the first batch; with more "
          "memory or nodes that would come after an eighth of them");
    return;
  }
  auto first = first_ordinals(blueprint.placement.stored(), blueprint.placement.slabs(), blueprint.blocks, topology);
  mpi::together(topology.all,
                [&] { blueprint.arrival = std::make_shared<const blueprint::Arrival>(std::move(first), config.seed); });
}

std::string text_of_early(const blueprint::Blueprint& blueprint) {
  const auto found = std::ranges::find_if(blueprint.streams, &blueprint::StreamFacts::windows_at_start);
  if (found == blueprint.streams.end()) return "";
  return fmt::format("epoch 0 is shuffled in {} windows{}, later ones exactly and globally", found->windows->count(),
                     blueprint.arrival ? " and delivered as they are read" : "");
}

}  // namespace headrace::service
