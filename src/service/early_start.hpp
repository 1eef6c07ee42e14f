// What a service does so that epoch 0 begins before all samples are read (start = early): decides the windows of that
// epoch, and whether rows come to memory in them. Collective over all stagers, and the same on each.
#pragma once

#include <string>

#include "config/config.hpp"
#include "job/topology.hpp"
#include "service/blueprint/blueprint.hpp"

namespace headrace::service {

/// Cuts the files into blocks (blueprint.blocks), where an early start is asked for and they have several: whether that
/// is so. Errors: what does not go with it.
bool choose_early(const config::Config& config, const job::Topology& topology, blueprint::Blueprint& blueprint);

/// The windows of epoch 0 of all streams, which are placed by now in slabs that begin with blocks.
void lay_out_early(const config::Config& config, const job::Topology& topology, blueprint::Blueprint& blueprint);

/// Rows will come to memory in these windows, if all of them stay there: what goes to a disk is read first.
void settle_arrival(const config::Config& config, const job::Topology& topology, blueprint::Blueprint& blueprint);

/// "epoch 0 is shuffled in 8 windows ...": for people.
std::string text_of_early(const blueprint::Blueprint& blueprint);

}  // namespace headrace::service
