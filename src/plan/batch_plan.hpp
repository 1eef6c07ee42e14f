// Where the rows of one batch come from. Within a batch rows stand in ascending order of their samples (the padding
// after the real rows, ascending too), and slabs are contiguous, so that the rows of one stager are one run.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/permutation.hpp"
#include "plan/schedule.hpp"

namespace headrace::plan {

/// Rows [first_row, first_row + rows) of the batch are held by `stager`.
struct Piece {
  std::uint32_t stager = 0, first_row = 0, rows = 0;
  bool operator==(const Piece&) const = default;
};

struct BatchPlan {
  std::vector<std::uint64_t> ordinals;  ///< one per row, in the order of the batch
  std::vector<Piece> pieces;            ///< in row order, none empty; two of one stager where padding follows
};

/// Makes batch plans; keeps its scratch memory, so one per thread.
class BatchPlanner {
 public:
  /// The plan of `share`. order: the epoch's permutation, or nullptr for shuffle = none (position p is ordinal p).
  /// first_ordinal: per stager, ascending, with the stream's size as last element (stagers + 1 numbers).
  /// The result is valid until the next call. Samples of n = first_ordinal.back().
  /// Costs a few ns per row, and per piece a search that gallops from the last one: not a walk over all stagers.
  const BatchPlan& operator()(const Share& share, const Permutation* order,
                              std::span<const std::uint64_t> first_ordinal);

 private:
  BatchPlan plan_;
  std::vector<std::uint64_t> scratch_;
};

}  // namespace headrace::plan
