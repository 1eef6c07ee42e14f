#include "service/blueprint/straight.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace headrace::service::blueprint {

Straight::Straight(std::string stream, std::vector<std::uint64_t> first_ordinals, const plan::Blocks& blocks,
                   std::span<const plan::Slab> slabs)
    : stream_(std::move(stream)),
      first_(std::make_shared<const std::vector<std::uint64_t>>(std::move(first_ordinals))),
      stagers_(slabs.size()) {
  for (std::uint64_t block = 0; block < blocks.size(); ++block) {
    const auto found = std::ranges::upper_bound(slabs, blocks.first_sample[block], {}, &plan::Slab::last);
    holders_.push_back(static_cast<std::uint32_t>(found - slabs.begin()));
  }
}

std::vector<std::uint64_t> Straight::rows_of(const plan::Laps& laps) const {
  std::vector<std::uint64_t> most(stagers_), rows(stagers_);
  for (std::uint64_t lap = 0; lap < laps.count(); ++lap) {
    std::ranges::fill(rows, 0);
    for (const auto block : laps.blocks_of(lap)) rows[holders_[block]] += (*first_)[block + 1] - (*first_)[block];
    for (std::size_t stager = 0; stager < stagers_; ++stager) most[stager] = std::max(most[stager], rows[stager]);
  }
  return most;
}

std::vector<std::uint64_t> Straight::need(const plan::Schedule& schedule, std::uint64_t count) const {
  const plan::Laps laps(first_, schedule, count);
  if (laps.shortest() < schedule.batch()) return {};
  return rows_of(laps);
}

std::shared_ptr<const plan::Laps> Straight::laps(const plan::Schedule& schedule) {
  const Lock lock(mutex_);  // others wait while they are made: they want the same ones
  auto& made = made_[schedule.trainers()];
  for (auto count = fewest; !made; count = next(count)) {
    const auto rows = need(schedule, count);
    if (rows.empty()) refuse(schedule);
    bool fit = true;
    for (std::size_t stager = 0; stager < stagers_; ++stager) fit = fit && rows[stager] <= pane_rows_[stager];
    if (fit) made = std::make_shared<const plan::Laps>(first_, schedule, count);
  }
  return made;
}

void Straight::refuse(const plan::Schedule& schedule) const {
  throw Error(fmt::format(
      "stream '{}' is not shuffled and does not fit memory; for {} trainer{} with batches of {} the stretches that are "
      "in memory at a time would be too short to be read block by block; use smaller blocks (block), more memory, "
      "fewer trainers, or a folder on a disk of each node instead of window (scratch = \"DIR\")",
      stream_, schedule.trainers(), schedule.trainers() == 1 ? "" : "s", schedule.batch()));
}

}  // namespace headrace::service::blueprint
