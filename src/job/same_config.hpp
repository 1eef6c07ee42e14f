// All stagers must have been told the same. Each reads flags, environment and files by itself, and these differ where a
// node has an old copy of a file, or a launcher hands variables on to some nodes only; then samples would be lost, or
// come twice, without a word.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/outputs.hpp"
#include "mpi/comm.hpp"

namespace headrace::job {

/// What decides which samples come when, where and in which form: keys ("stream.train.batch") with values, in the order
/// of the configuration. Files that belong to it (lists, scales, plugins) count with what stands in them. Limits, times
/// and what a node or the first stager does for itself are not in it.
std::vector<std::pair<std::string, std::string>> common_keys(const config::Config& config);

/// The same and what is written, for commands that write.
std::vector<std::pair<std::string, std::string>> common_keys(const config::OutputConfig& config);

/// Collective over all stagers, and the first thing that they do together. Error that names node, key and values.
void require_same_config(const mpi::Comm& world, const config::Config& config);
void require_same_config(const mpi::Comm& world, const config::OutputConfig& config);

}  // namespace headrace::job
