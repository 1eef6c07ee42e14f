#include "plan/placement.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "base/contract.hpp"
#include "base/error.hpp"

namespace headrace::plan {

Placement::Placement(std::vector<Slab> slabs, Members stored) : slabs_(std::move(slabs)), stored_(std::move(stored)) {
  for (std::uint32_t s = 0; s < stagers(); ++s)
    require(
        rows(s) <= std::numeric_limits<std::uint32_t>::max(),
        "a stager would hold " + std::to_string(rows(s)) + " samples (row numbers have 32 bits); start more stagers");
}

Placement::Placement(std::vector<Slab> slabs, const Selection& stored) : Placement(slabs, Members(stored, slabs)) {}

std::optional<std::uint32_t> Placement::holder(std::uint64_t sample) const {
  const auto after = std::upper_bound(slabs_.begin(), slabs_.end(), sample,
                                      [](std::uint64_t value, const Slab& slab) { return value < slab.last; });
  if (after == slabs_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(after - slabs_.begin());
}

void Placement::locate(const Strata& stream, std::uint32_t run, std::span<const std::uint64_t> ordinals,
                       std::span<std::int64_t> samples, std::span<std::uint32_t> rows) const {
  EXPECTS(ordinals.size() == samples.size() && ordinals.size() == rows.size());
  const auto stager = stream.stager_of(run), set = stream.set_of(run);
  thread_local std::vector<std::uint64_t> of_set;
  if (const auto before = stream.first_of_set(set); before > 0) {
    of_set.assign(ordinals.begin(), ordinals.end());
    for (auto& ordinal : of_set) ordinal -= before;
    ordinals = of_set;
  }
  stream.sets()[set].samples(stager, ordinals, samples);
  stored_.places(stager, samples, rows);
}

}  // namespace headrace::plan
