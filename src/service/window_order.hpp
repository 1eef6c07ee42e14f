// What a service decides about the order of streams that are shuffled in windows, before it is known where rows lie.
// Collective over all stagers, and the same on each.
#pragma once

#include <optional>
#include <vector>

#include "config/config.hpp"
#include "data/selection/selected_samples.hpp"
#include "job/topology.hpp"
#include "service/blueprint/blueprint.hpp"
#include "service/blueprint/window_quality.hpp"
#include "service/blueprint/windows.hpp"

namespace headrace::service {

/// Which streams take part, and blocks where any does (blueprint.blocks). room: bytes that the samples may take on all
/// nodes. Errors: what does not go with windows.
blueprint::WindowShares choose_windows(const config::Config& config, const job::Topology& topology,
                                       const data::selection::SelectedSamples& selected, std::uint64_t room,
                                       blueprint::Blueprint& blueprint);

/// Per block the first ordinal of these members there, and the end. Slabs begin with blocks, so that each is of one
/// holder.
std::vector<std::uint64_t> first_ordinals(const plan::Members& members, const std::vector<plan::Slab>& slabs,
                                          const plan::Blocks& blocks, const job::Topology& topology);

/// Lays out the windows of these streams, which are placed by now in slabs that begin with blocks. A stream that has no
/// more blocks than a window is shuffled as a whole; where all are, there are no blocks any more.
void lay_out_windows(const config::Config& config, const job::Topology& topology, const blueprint::WindowShares& shares,
                     const data::selection::SelectedSamples& selected, blueprint::Blueprint& blueprint);

/// Per stream in windows, how far its order is from a global shuffle; columns that cost little to read are looked at.
std::vector<std::optional<blueprint::WindowQuality>> measure_windows(const job::Topology& topology,
                                                                     const catalog::Contents& contents,
                                                                     const blueprint::Blueprint& blueprint,
                                                                     const reader::LoadOptions& options);

}  // namespace headrace::service
