// Where the rows of each stager lie: in memory, or some of them on a disk of its node. Pure arithmetic, from what every
// stager knows of all nodes: the same everywhere.
//
// The order of samples does not depend on it, so that nothing that is decided here changes what a trainer gets.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/schema.hpp"

namespace headrace::service::blueprint {

/// What each of `stagers` stagers of a node takes while up to so many of its rows go to its disk, or come from there.
std::uint64_t scratch_buffer_bytes(const Schema& schema, std::uint64_t rows, std::size_t stagers);

/// Rows that a stager of so many rows must have in memory at least, where others lie on its disk: what goes to the disk
/// passes through their place.
std::uint64_t fewest_in_memory(const Schema& schema, std::uint64_t rows);

/// Of each stager of a node how many of its `rows` may lie in memory, where the store may take so many bytes: all of
/// them, or parts of equal share, and never fewer than the fewest.
std::vector<std::uint64_t> rows_in_memory(const Schema& schema, std::span<const std::uint64_t> rows,
                                          std::uint64_t store_bytes);

}  // namespace headrace::service::blueprint
