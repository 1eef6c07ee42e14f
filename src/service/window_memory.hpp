// What a service does for streams that are read window by window: decides which, and where their rows lie. Every
// function is the same on every stager.
#pragma once

#include <string>
#include <vector>

#include "job/topology.hpp"
#include "service/blueprint/blueprint.hpp"
#include "service/scratch_disk.hpp"

namespace headrace::service {

/// Streams that are shuffled in windows are in memory as a whole where all streams have room there so, and the smaller
/// ones while they take at most a quarter of it; the others get panes. Their order is the same either way. Then only
/// rows of the others have a place of their own. Collective. Errors name stream and way out.
void settle_windows(const job::Topology& topology, const StoreBudgets& budgets, blueprint::Blueprint& blueprint);

/// "; stream 'train' keeps two windows of 1.2 GB there: choose a smaller window": of a message about too little memory;
/// "" where nothing is read window by window, and no window was asked for in vain. Not collective.
std::string way_out_by_windows(const config::Config& config, const blueprint::Blueprint& blueprint,
                               const job::Node& node);

/// Lines for people: which streams are read window by window, and what that takes. Not collective.
std::vector<std::string> lines_of_windows(const blueprint::Blueprint& blueprint, const job::Node& node);

}  // namespace headrace::service
