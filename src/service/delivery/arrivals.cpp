#include "service/delivery/arrivals.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace headrace::service::delivery {

Arrivals::Arrivals(const blueprint::Blueprint& blueprint, std::uint64_t seed)
    : blueprint_(blueprint), windowing_(blueprint, seed), there_(blueprint.arrival->windows()) {}

Arrivals::Answer Arrivals::ask(std::uint32_t stream, std::uint64_t epoch, const plan::Share& share, const void* who,
                               std::function<void()> ready) {
  // acquire: meets the release of open(): everything that was read may be copied without another word.
  if (all_.load(std::memory_order_acquire)) return {};
  const Lock lock(mutex_);
  const auto answer = look(stream, epoch, share);
  if (!answer.open) waiting_[who] = std::move(ready);
  return answer;
}

Arrivals::Answer Arrivals::look(std::uint32_t stream, std::uint64_t epoch, const plan::Share& share) const {
  if (std::ranges::all_of(there_, [](bool one) { return one; })) return {};
  if (!blueprint_.streams[stream].in_windows(epoch)) return {false, std::nullopt};
  const auto span = windowing_.span(stream, epoch, share);
  for (auto window = span.first.window; window <= span.last.window; ++window)
    if (!there_[window]) return {false, window};
  return {};
}

void Arrivals::open(std::uint64_t window) {
  std::map<const void*, std::function<void()>> waiting;
  {
    const Lock lock(mutex_);
    require(window < there_.size(), "a window is said to be in memory that there is not");
    there_[window] = true;
    // release: see ask().
    if (std::ranges::all_of(there_, [](bool one) { return one; })) all_.store(true, std::memory_order_release);
    waiting.swap(waiting_);
  }
  for (const auto& [who, ready] : waiting) ready();
}

std::uint64_t Arrivals::opened() const {
  const Lock lock(mutex_);
  return static_cast<std::uint64_t>(std::ranges::count(there_, true));
}

}  // namespace headrace::service::delivery
