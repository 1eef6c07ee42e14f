// What a node needs, in bytes: pure arithmetic, for the check before memory is taken and for forecasts alike.
#pragma once

#include <cstdint>
#include <span>

#include "config/config.hpp"
#include "service/blueprint/blueprint.hpp"

namespace headrace::service::blueprint {

struct Need {
  std::uint64_t store = 0, rings = 0, buffers = 0;
  std::uint64_t total() const { return store + rings + buffers; }
};

/// Bytes of all rings of a node.
std::uint64_t ring_bytes_of_node(const config::Config& config, const Blueprint& blueprint);

/// rows: of each stager of the node; nodes: of the whole service. Of the blueprint, only fields, streams and trainers
/// are asked.
Need need_of_node(const config::Config& config, const Blueprint& blueprint, std::span<const std::uint64_t> rows,
                  std::size_t nodes);

}  // namespace headrace::service::blueprint
