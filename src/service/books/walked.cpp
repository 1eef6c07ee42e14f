#include "service/books/walked.hpp"

namespace headrace::service::books {

std::optional<std::uint64_t> Walked::first(const Walk& walk, std::uint64_t place) const {
  if (place == 0) return 0;
  const Lock lock(mutex_);
  const auto found = sums_.find(walk);
  if (found == sums_.end()) return std::nullopt;
  const auto sum = found->second.find(place);
  if (sum == found->second.end()) return std::nullopt;
  return sum->second;
}

void Walked::note(const Walk& walk, std::uint64_t place, std::uint64_t sum) {
  const Lock lock(mutex_);
  // Only the last permutations of a class are walked on, by sessions that may be at different epochs.
  constexpr std::uint64_t kept = 4;
  auto at = sums_.lower_bound({walk.stream, walk.which, 0});
  while (at != sums_.end() && at->first.stream == walk.stream && at->first.which == walk.which &&
         at->first.cycle + kept < walk.cycle)
    at = sums_.erase(at);
  if (sums_.size() >= most_walks) sums_.erase(sums_.begin());
  auto& sums = sums_[walk];
  if (sums.size() >= most_walks) sums.clear();
  sums[place] = sum;
}

}  // namespace headrace::service::books
