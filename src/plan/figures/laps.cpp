#include "plan/figures/laps.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/contract.hpp"
#include "plan/wide.hpp"

namespace headrace::plan {

Laps::Laps(FirstOrdinals first_ordinals, const Schedule& schedule, std::uint64_t count)
    : first_(std::move(first_ordinals)), count_(count) {
  EXPECTS(count >= 3 && first_->size() > 1 && schedule.shuffle() == Shuffle::none);
  runs_.push_back(0);
  for (std::uint32_t t = 0; t < schedule.trainers(); ++t) runs_.push_back(runs_.back() + schedule.rows_of_trainer(t));
  for (std::uint64_t back = 1; back <= std::min<std::uint64_t>(2, schedule.steps()); ++back)
    for (std::uint32_t t = 0; t < schedule.trainers(); ++t)
      if (const auto share = schedule.share(schedule.steps() - back, t); share.padding > 0)
        repeated_ = std::max(repeated_, std::min(schedule.samples(), share.padding_first + share.padding));
}

std::uint32_t Laps::block_of(std::uint64_t ordinal) const {
  return static_cast<std::uint32_t>(std::ranges::upper_bound(*first_, ordinal) - first_->begin() - 1);
}

/// Where the stretch of a lap begins.
std::uint64_t Laps::cut(std::uint32_t trainer, std::uint64_t lap) const {
  const auto begin = runs_[trainer], end = runs_[trainer + 1];
  if (lap == 0 || begin == end) return begin;
  if (lap == count_) return end;
  const auto even = begin + static_cast<std::uint64_t>(Unsigned128{end - begin} * lap / count_);
  return std::max(begin, (*first_)[block_of(even)]);
}

std::uint64_t Laps::lap_of(std::uint32_t trainer, std::uint64_t ordinal) const {
  std::uint64_t low = 0, high = count_;  // cut(low) is not beyond it, or low is 0
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    (cut(trainer, middle) <= ordinal ? low : high) = middle;
  }
  return low;
}

std::vector<std::uint32_t> Laps::blocks_of(std::uint64_t lap) const {
  EXPECTS(lap < count_);
  std::vector<std::uint32_t> blocks;
  const auto add = [&](std::uint64_t first, std::uint64_t last) {  // samples
    if (first >= last) return;
    for (auto block = block_of(first); block < first_->size() - 1 && (*first_)[block] < last; ++block)
      if ((blocks.empty() || blocks.back() < block) && (*first_)[block] < (*first_)[block + 1]) blocks.push_back(block);
  };
  for (std::uint32_t t = 0; t + 1 < runs_.size(); ++t) add(cut(t, lap), cut(t, lap + 1));
  if (lap + 1 < count_ || repeated_ == 0) return blocks;
  const auto of_runs = std::exchange(blocks, {});
  add(0, repeated_);
  std::vector<std::uint32_t> all;
  std::ranges::set_union(blocks, of_runs, std::back_inserter(all));
  return all;
}

std::uint64_t Laps::shortest() const {
  auto least = std::numeric_limits<std::uint64_t>::max();
  for (std::uint32_t t = 0; t + 1 < runs_.size(); ++t)
    if (runs_[t] < runs_[t + 1])
      for (std::uint64_t lap = 1; lap + 1 < count_; ++lap) least = std::min(least, cut(t, lap + 1) - cut(t, lap));
  return least;
}

}  // namespace headrace::plan
