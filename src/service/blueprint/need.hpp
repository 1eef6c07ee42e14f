// What a node needs, in bytes: pure arithmetic, for the check before memory is taken and for forecasts alike.
#pragma once

#include <cstdint>
#include <span>

#include "service/blueprint.hpp"
#include "service/config.hpp"

namespace headrace::service {

struct Need {
  std::uint64_t store = 0, rings = 0, buffers = 0;
  std::uint64_t total() const { return store + rings + buffers; }
};

/// rows: of each stager of the node; nodes: of the whole service. Of the blueprint, only fields, streams and trainers
/// are asked.
Need need_of_node(const Config& config, const Blueprint& blueprint, std::span<const std::uint64_t> rows,
                  std::size_t nodes);

}  // namespace headrace::service
