// Where the rows of a stream lie that is read window by window: in two panes of each stager's memory, behind the rows
// that stay. While trainers are given what is in one, the next window is read into the other.
//
//   memory of a stager   | rows that stay | pane 0 | pane 1 | (panes of another stream) ...
//   a pane               the blocks of a window that are in the stager's slab, one after another, ascending
//
//   1. A pane has room for any window of any epoch: of each run of neighbours (plan/windows.hpp) for its largest block.
//   2. Which block lies where follows from the window alone, so that nobody needs to be told.
//
// Pure arithmetic; plain values; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "plan/blocks.hpp"
#include "plan/slabs.hpp"
#include "plan/windows.hpp"

namespace headrace::service::blueprint {

/// Of one stream.
struct StreamCells {
  std::vector<std::uint64_t> first_row;  ///< of each stager: where pane 0 begins in its memory
  std::vector<std::uint64_t> pane_rows;  ///< of each stager: rows of a pane
};

/// Rows of a pane of each stager. blocks: their borders are those that the windows' ordinals are of.
std::vector<std::uint64_t> pane_rows(const plan::Windows& windows, const plan::Blocks& blocks,
                                     std::span<const plan::Slab> slabs);

/// A block in a pane.
struct PlacedBlock {
  std::uint32_t block = 0, stager = 0;
  std::uint64_t first_ordinal = 0, rows = 0;  ///< of the stream
  std::uint64_t row = 0;                      ///< where its first row is in the stager's memory
};

/// The blocks of a window, ascending, but for those without rows. first_ordinals: of each block of the files, and the
/// end.
std::vector<PlacedBlock> lay_out(std::span<const std::uint64_t> first_ordinals, std::span<const std::uint32_t> window,
                                 const plan::Blocks& blocks, std::span<const plan::Slab> slabs,
                                 const StreamCells& cells, std::uint32_t pane);

}  // namespace headrace::service::blueprint
