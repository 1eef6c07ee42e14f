#include "service/blueprint/cells.hpp"

#include <algorithm>

#include "base/contract.hpp"

namespace headrace::service::blueprint {

namespace {

/// Whose slab begins a block; slabs that are empty hold none.
std::uint32_t stager_of(std::uint64_t first_sample, std::span<const plan::Slab> slabs) {
  const auto found = std::ranges::upper_bound(slabs, first_sample, {}, &plan::Slab::last);
  EXPECTS(found != slabs.end() && found->first <= first_sample);
  return static_cast<std::uint32_t>(found - slabs.begin());
}

}  // namespace

std::vector<std::uint64_t> pane_rows(const plan::Windows& windows, const plan::Blocks& blocks,
                                     std::span<const plan::Slab> slabs) {
  EXPECTS(blocks.first_sample.size() == windows.blocks() + 1);
  std::vector<std::uint64_t> rows(slabs.size());
  std::uint64_t run = 0, largest = 0;
  std::uint32_t stager = 0;
  for (std::uint64_t k = 0; k < windows.filled().size(); ++k) {
    const auto block = windows.filled()[k];
    const auto of_run = windows.slot_of(k) / windows.count();
    const auto of_stager = stager_of(blocks.first_sample[block], slabs);
    if (of_run != run || of_stager != stager) {
      rows[stager] += largest;
      largest = 0;
    }
    run = of_run;
    stager = of_stager;
    largest = std::max(largest, windows.rows(block));
  }
  rows[stager] += largest;
  return rows;
}

std::vector<PlacedBlock> lay_out(std::span<const std::uint64_t> first_ordinals, std::span<const std::uint32_t> window,
                                 const plan::Blocks& blocks, std::span<const plan::Slab> slabs,
                                 const StreamCells& cells, std::uint32_t pane) {
  std::vector<PlacedBlock> placed;
  std::uint32_t stager = 0;
  std::uint64_t used = 0;
  for (const auto block : window) {
    const auto rows = first_ordinals[block + 1] - first_ordinals[block];
    if (rows == 0) continue;
    const auto holder = stager_of(blocks.first_sample[block], slabs);
    if (holder != stager) used = 0;
    stager = holder;
    placed.push_back(
        {block, stager, first_ordinals[block], rows, cells.first_row[stager] + pane * cells.pane_rows[stager] + used});
    used += rows;
    ENSURES(used <= cells.pane_rows[stager]);
  }
  return placed;
}

}  // namespace headrace::service::blueprint
