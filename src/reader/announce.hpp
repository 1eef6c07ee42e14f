// Tells the system what a load will ask for first, so that the disk has something to do until it begins.
#pragma once

#include <cstdint>
#include <span>

#include "reader/load.hpp"

namespace headrace::reader {

/// The first bytes of files, at most so many, that load_alone() of the same would read. Only a hint: what cannot be told
/// beforehand is left out, and errors are the load's to find. The thread that owns HDF5.
void announce(const catalog::Catalog& catalog, std::span<const Interval> intervals, const LoadOptions& options,
              std::uint64_t most_bytes);

}  // namespace headrace::reader
