// What a stream draws from: one set of samples, or one for each class, which are walked each by itself. Their members
// are numbered through, set after set, and within a set by ascending sample:
//
//   ordinal   0 ............... | ................. | ......      sets
//             |stager 0|stager 1|stager 0 |stager 1 |             runs: members of one set in the slab of one stager
//
// Immutable; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/members.hpp"

namespace headrace::plan {

class Strata {
 public:
  Strata() = default;
  explicit Strata(std::vector<Members> sets);
  Strata(Members only) : Strata(std::vector<Members>{std::move(only)}) {}

  std::uint64_t size() const { return first_.empty() ? 0 : first_.back(); }
  const std::vector<Members>& sets() const { return sets_; }
  /// Per run the ordinal of its first member, and size() at the end.
  std::span<const std::uint64_t> first_ordinals() const { return first_; }
  std::uint32_t stagers() const { return stagers_; }
  std::uint32_t stager_of(std::uint32_t run) const { return run % stagers_; }
  std::uint32_t set_of(std::uint32_t run) const { return run / stagers_; }
  /// The ordinal of a set's first member.
  std::uint64_t first_of_set(std::uint32_t set) const { return first_[std::size_t{set} * stagers_]; }
  /// Whether everybody can compute the members of all sets.
  bool known_to_all() const;

 private:
  std::vector<Members> sets_;
  std::uint32_t stagers_ = 0;
  std::vector<std::uint64_t> first_;
};

}  // namespace headrace::plan
