// Where the rows of one batch come from. They are planned in ascending order of their ordinals (the padding after the
// real rows, ascending too), and slabs are contiguous, so that the rows of one run of ordinals (strata.hpp: members of
// one set that one stager holds) follow each other.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/epoch_order.hpp"
#include "plan/schedule.hpp"

namespace headrace::plan {

/// Rows [first_row, first_row + rows) of the plan are of this run.
struct Piece {
  std::uint32_t run = 0, first_row = 0, rows = 0;
  bool operator==(const Piece&) const = default;
};

struct BatchPlan {
  std::vector<std::uint64_t> ordinals;  ///< one per row, ascending
  std::vector<std::uint32_t> drawn;     ///< per row its place among the positions of the share; empty unless asked for
  std::vector<Piece> pieces;            ///< in row order, none empty; two of one run where padding follows
};

/// Makes batch plans; keeps its scratch memory, so one per thread.
class BatchPlanner {
 public:
  /// The plan of `share`. order: the epoch's, or nullptr for shuffle = none (position p is ordinal p).
  /// first_ordinal: per run, ascending, with the number of members as last element.
  /// The result is valid until the next call.
  /// Costs a few ns per row, and per piece a search that gallops from the last one: not a walk over all runs.
  const BatchPlan& operator()(const Share& share, const EpochOrder* order, std::span<const std::uint64_t> first_ordinal,
                              bool drawn = false);

 private:
  void sort(std::size_t first_row, std::span<std::uint64_t> rows, std::uint64_t limit, bool drawn);

  BatchPlan plan_;
  std::vector<std::uint64_t> scratch_;
  std::vector<std::uint32_t> order_;
};

}  // namespace headrace::plan
