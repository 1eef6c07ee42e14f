#include "plan/placement.hpp"

#include <limits>
#include <string>

#include "base/contract.hpp"
#include "base/error.hpp"

namespace headrace::plan {

Placement::Placement(std::vector<Slab> slabs, Selection stored)
    : slabs_(std::move(slabs)), stored_(std::move(stored)), first_row_(first_ordinals(stored_)) {
  for (std::uint32_t s = 0; s < stagers(); ++s)
    require(
        rows(s) <= std::numeric_limits<std::uint32_t>::max(),
        "a stager would hold " + std::to_string(rows(s)) + " samples (row numbers have 32 bits); start more stagers");
}

std::vector<std::uint64_t> Placement::first_ordinals(const Selection& stream) const {
  std::vector<std::uint64_t> first;
  first.reserve(slabs_.size() + 1);
  for (const auto& slab : slabs_) first.push_back(stream.lower_bound({slab.first}).value);
  first.push_back(stream.size());
  return first;
}

void Placement::locate(const Selection& stream, std::uint32_t stager, std::span<const std::uint64_t> ordinals,
                       std::span<std::int64_t> samples, std::span<std::uint32_t> rows) const {
  EXPECTS(ordinals.size() == samples.size() && ordinals.size() == rows.size());
  stream.samples(ordinals, samples);
  stored_.ordinals(samples, first_row_[stager], rows);
}

}  // namespace headrace::plan
