#include "service/blueprint/arrival.hpp"

#include <memory>

#include "plan/permutation.hpp"

namespace headrace::service::blueprint {

std::uint64_t early_key(std::uint64_t seed) {
  return plan::epoch_key(seed, "", 0);
}

Arrival::Arrival(std::vector<std::uint64_t> first_ordinals, std::uint64_t seed)
    : order_(std::make_shared<const plan::Windows>(
                 plan::Windows::alike(std::move(first_ordinals), early_windows, early_key(seed))),
             early_key(seed)) {}

std::vector<PlacedBlock> Arrival::blocks_of(std::uint64_t window, std::uint32_t stager, const plan::Blocks& blocks,
                                            const plan::Placement& placement) const {
  const auto& windows = order_.windows();
  const auto& slab = placement.slab(stager);
  const auto before = placement.stored().first_ordinals()[stager];
  std::vector<PlacedBlock> placed;
  for (const auto block : order_.blocks_of(window)) {
    const auto sample = blocks.first_sample[block];
    if (sample < slab.first || sample >= slab.last || windows.rows(block) == 0) continue;
    const auto first = windows.first_ordinals()[block];
    placed.push_back({block, stager, first, windows.rows(block), first - before});
  }
  return placed;
}

}  // namespace headrace::service::blueprint
