// Where the rows of the service are: which stager's slab, and which row of it. Immutable; any thread.
//
//   samples   0 ......................... n-1     (file order)
//   slabs     |  stager 0  | stager 1 | ...       contiguous, node by node
//   stored    ##.#####.##..######.###...          what some stream selects; only these have rows
//   row       position among the stored samples of the slab
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/selection.hpp"
#include "plan/slabs.hpp"

namespace headrace::plan {

class Placement {
 public:
  Placement(std::vector<Slab> slabs, Selection stored);

  std::uint32_t stagers() const { return static_cast<std::uint32_t>(slabs_.size()); }
  const Slab& slab(std::uint32_t stager) const { return slabs_[stager]; }
  const Selection& stored() const { return stored_; }
  /// Rows that the stager holds.
  std::uint64_t rows(std::uint32_t stager) const { return first_row_[stager + 1] - first_row_[stager]; }
  /// Per stager the first ordinal of `stream` in its slab, and the stream's size as last element.
  std::vector<std::uint64_t> first_ordinals(const Selection& stream) const;
  /// Sample numbers and rows of ascending ordinals of `stream`, all in the slab of `stager`; spans of equal length.
  void locate(const Selection& stream, std::uint32_t stager, std::span<const std::uint64_t> ordinals,
              std::span<std::int64_t> samples, std::span<std::uint32_t> rows) const;
  /// Where a stored sample of the stager's slab stands.
  std::uint64_t row(std::uint32_t stager, std::uint64_t sample) const {
    return stored_.lower_bound({sample}).value - first_row_[stager];
  }

 private:
  std::vector<Slab> slabs_;
  Selection stored_;
  std::vector<std::uint64_t> first_row_;  // of all stored samples, in front of each slab
};

}  // namespace headrace::plan
