// In which order rows come to memory where trainers are served meanwhile (start = early): in windows that are never
// freed. Epoch 0 of each stream is shuffled in the same ones, so that whatever was read serves all of them; later epochs
// are shuffled as a whole.
//
//   windows of blocks     {1, 5, 6, 9}  {0, 3, 8, 11}  {2, 4, 7, 10}        plan/windows.hpp, Windows::alike()
//   memory of a stager    | rows of its slab, as where all is read first |
//                             1     5  6     9                              after the first window
//
// Pure arithmetic; immutable; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/blocks.hpp"
#include "plan/placement.hpp"
#include "plan/windows.hpp"
#include "service/blueprint/cells.hpp"

namespace headrace::service::blueprint {

/// Windows of epoch 0, where there are as many blocks.
constexpr std::uint64_t early_windows = 8;
/// What deals blocks out to them: not a stream's, whose names are not empty.
std::uint64_t early_key(std::uint64_t seed);

class Arrival {
 public:
  /// first_ordinals: of the stored samples in each block, and the end.
  Arrival(std::vector<std::uint64_t> first_ordinals, std::uint64_t seed);

  std::uint64_t windows() const { return order_.windows().count(); }
  /// Stored samples of a window.
  std::uint64_t samples(std::uint64_t window) const { return order_.starts()[window + 1] - order_.starts()[window]; }
  /// The blocks of a window that are a stager's, ascending, but for those without rows; ordinals are of the stored
  /// samples.
  std::vector<PlacedBlock> blocks_of(std::uint64_t window, std::uint32_t stager, const plan::Blocks& blocks,
                                     const plan::Placement& placement) const;

 private:
  plan::WindowedOrder order_;  // of the stored samples: nobody gets them so, but these are the windows
};

}  // namespace headrace::service::blueprint
