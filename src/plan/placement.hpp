// Where the rows of the service are: which stager's slab, and which row of it. Immutable; any thread.
//
//   samples   0 ......................... n-1     (file order)
//   slabs     |  stager 0  | stager 1 | ...       contiguous, node by node
//   stored    ##.#####.##..######.###...          what some stream selects; only these have rows
//   row       position among the stored samples of the slab
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "plan/members.hpp"
#include "plan/selection.hpp"
#include "plan/slabs.hpp"
#include "plan/strata.hpp"

namespace headrace::plan {

class Placement {
 public:
  Placement() = default;
  Placement(std::vector<Slab> slabs, Members stored);
  Placement(std::vector<Slab> slabs, const Selection& stored);

  std::uint32_t stagers() const { return static_cast<std::uint32_t>(slabs_.size()); }
  const std::vector<Slab>& slabs() const { return slabs_; }
  const Slab& slab(std::uint32_t stager) const { return slabs_[stager]; }
  const Members& stored() const { return stored_; }
  /// The stager whose slab the sample is in; nothing beyond the last sample.
  std::optional<std::uint32_t> holder(std::uint64_t sample) const;
  /// Rows that the stager holds.
  std::uint64_t rows(std::uint32_t stager) const {
    return stored_.first_ordinals()[stager + 1] - stored_.first_ordinals()[stager];
  }
  /// Sample numbers and rows of ascending ordinals of `stream`, all of one run, whose members are known here; spans of
  /// equal length.
  void locate(const Strata& stream, std::uint32_t run, std::span<const std::uint64_t> ordinals,
              std::span<std::int64_t> samples, std::span<std::uint32_t> rows) const;
  /// Where a stored sample of the stager's slab stands.
  std::uint64_t row(std::uint32_t stager, std::uint64_t sample) const { return stored_.place(stager, sample); }

 private:
  std::vector<Slab> slabs_;
  Members stored_;
};

}  // namespace headrace::plan
