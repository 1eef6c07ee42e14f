// What a node draws of its slabs, epoch by epoch. Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "plan/draw.hpp"
#include "plan/multiset.hpp"
#include "plan/strata.hpp"

namespace headrace::plan {

struct NodeDraw {
  std::shared_ptr<const Draw> draw;
  std::uint32_t first = 0;                                ///< stager of the node
  std::vector<std::shared_ptr<const DrawnSlab>> slabs{};  ///< of each of its stagers

  /// Of each stager of the node: one pass over its slab each.
  std::shared_ptr<const std::vector<Multiset>> epoch(std::uint64_t epoch) const {
    const auto shares = draw->shares(epoch);
    auto here = std::make_shared<std::vector<Multiset>>();
    here->reserve(slabs.size());
    for (const auto& slab : slabs) here->emplace_back(slab, shares);
    return here;
  }
  /// The stream's samples in an epoch. rows: of every stager of the service; here: epoch() of this node.
  Strata strata(std::shared_ptr<const std::vector<Multiset>> here, std::span<const std::uint64_t> rows) const {
    return Members(rows, first, std::move(here));
  }
};

}  // namespace headrace::plan
