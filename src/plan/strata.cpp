#include "plan/strata.hpp"

#include <algorithm>

#include "base/contract.hpp"

namespace headrace::plan {

Strata::Strata(std::vector<Members> sets) : sets_(std::move(sets)) {
  EXPECTS(!sets_.empty());
  stagers_ = static_cast<std::uint32_t>(sets_[0].first_ordinals().size() - 1);
  std::uint64_t before = 0;
  for (const auto& set : sets_) {
    const auto& first = set.first_ordinals();
    EXPECTS(first.size() == std::size_t{stagers_} + 1);
    for (std::uint32_t s = 0; s < stagers_; ++s) first_.push_back(before + first[s]);
    before += set.size();
  }
  first_.push_back(before);
}

bool Strata::known_to_all() const {
  return std::ranges::all_of(sets_, [](const Members& set) { return set.selection() != nullptr; });
}

}  // namespace headrace::plan
