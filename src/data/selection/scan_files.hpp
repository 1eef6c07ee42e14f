// The files of a configuration, looked at by all stagers together. For the thread that owns MPI.
#pragma once

#include <cstdint>

#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "job/topology.hpp"

namespace headrace::data::selection {

struct Scanned {
  std::size_t files = 0;  ///< that patterns and paths stand for
  catalog::Contents contents;
};

/// Collective. Error on all where a node does not see the files that the others see, or sees others behind their links,
/// and where fields of numbers take texts of an inventory's table (inventory_settings.hpp).
Scanned scan_files(const config::Config& config, const job::Topology& topology);

/// By this process alone; no more than `most` of the files. code: whether users' own decoders may run for it.
Scanned scan_files_alone(const config::Config& config, bool code, std::size_t most = SIZE_MAX);

}  // namespace headrace::data::selection
