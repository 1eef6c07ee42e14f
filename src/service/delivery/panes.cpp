#include "service/delivery/panes.hpp"

#include <algorithm>
#include <utility>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"

namespace headrace::service::delivery {

namespace {

bool has(const std::vector<plan::EpochWindow>& windows, plan::EpochWindow one) {
  return std::ranges::find(windows, one) != windows.end();
}

}  // namespace

Panes::Gate Panes::enter(std::uint32_t stream, const Span& span, const void* who, std::function<void()> ready) {
  if (span.first != span.last && windowing_.next(stream, span.first) != span.last) return Gate::never;
  const Lock lock(mutex_);
  auto& state = streams_[stream];
  if (!has(state.opened, span.first) || !has(state.opened, span.last)) {
    state.waiting[who] = std::move(ready);
    return Gate::closed;
  }
  ++state.under_way[span.first];
  if (span.last != span.first) ++state.under_way[span.last];
  return Gate::open;
}

void Panes::leave(std::uint32_t stream, const Span& span) {
  std::function<void()> left;
  {
    const Lock lock(mutex_);
    auto& state = streams_[stream];
    const auto one_less = [&](plan::EpochWindow window) {
      const auto found = state.under_way.find(window);
      EXPECTS(found != state.under_way.end());
      if (--found->second == 0) state.under_way.erase(found);
    };
    one_less(span.first);
    if (span.last != span.first) one_less(span.last);
    left = has_left(state);
  }
  if (left) left();
}

std::function<void()> Panes::has_left(Stream& stream) {
  const bool all =
      std::ranges::all_of(stream.under_way, [&](const auto& batches) { return has(stream.wanted, batches.first); });
  return all ? std::exchange(stream.left, nullptr) : nullptr;
}

void Panes::turn(std::uint32_t stream, plan::EpochWindow at, std::optional<plan::EpochWindow> next,
                 std::function<void()> left) {
  std::function<void()> now;
  {
    const Lock lock(mutex_);
    auto& state = streams_[stream];
    state.wanted = {at};
    if (next) state.wanted.push_back(*next);
    std::erase_if(state.opened, [&](plan::EpochWindow window) { return !has(state.wanted, window); });
    state.left = std::move(left);
    now = has_left(state);
  }
  if (now) now();
}

void Panes::lay(std::uint32_t stream, plan::EpochWindow at, std::optional<plan::EpochWindow> next, std::uint32_t pane) {
  auto layout = std::make_shared<Layout>();
  layout->push_back({at.epoch, windowing_.lay_out(stream, at, pane)});
  if (next) {
    auto blocks = windowing_.lay_out(stream, *next, 1 - pane);
    if (next->epoch != at.epoch) {
      layout->push_back({next->epoch, std::move(blocks)});
    } else {
      auto& all = layout->front().blocks;
      const auto middle = static_cast<std::ptrdiff_t>(all.size());
      all.insert(all.end(), blocks.begin(), blocks.end());
      std::inplace_merge(all.begin(), all.begin() + middle, all.end(),
                         [](const auto& a, const auto& b) { return a.block < b.block; });
    }
  }
  const Lock lock(mutex_);
  streams_[stream].layout = std::move(layout);
}

void Panes::open(std::uint32_t stream, plan::EpochWindow window) {
  std::map<const void*, std::function<void()>> waiting;
  {
    const Lock lock(mutex_);
    auto& state = streams_[stream];
    if (!has(state.wanted, window) || has(state.opened, window)) return;
    state.opened.push_back(window);
    waiting.swap(state.waiting);
  }
  for (const auto& [who, ready] : waiting) ready();
}

void Panes::locate(std::uint32_t stream, std::uint64_t epoch, std::span<const std::uint64_t> ordinals,
                   std::span<std::uint32_t> rows) const {
  std::shared_ptr<const Layout> layout;
  {
    const Lock lock(mutex_);
    layout = streams_[stream].layout;
  }
  constexpr const char* nowhere =
      "rows are asked for that are not in memory here; do all stagers run the same version and files?";
  const auto laid = std::ranges::find(*layout, epoch, &Laid::epoch);
  require(laid != layout->end() || ordinals.empty(), nowhere);
  std::size_t at = 0;
  for (std::size_t i = 0; i < ordinals.size(); ++i) {
    const auto& blocks = laid->blocks;
    // Galloping: neighbouring ordinals are mostly of neighbouring blocks.
    std::size_t step = 1;
    while (at + step < blocks.size() && blocks[at + step].first_ordinal <= ordinals[i]) {
      at += step;
      step *= 2;
    }
    const auto begin = blocks.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = blocks.begin() + static_cast<std::ptrdiff_t>(std::min(at + step, blocks.size()));
    const auto after = std::ranges::upper_bound(begin, end, ordinals[i], {}, &blueprint::PlacedBlock::first_ordinal);
    require(after != blocks.begin(), nowhere);
    at = static_cast<std::size_t>(after - blocks.begin()) - 1;
    require(ordinals[i] - blocks[at].first_ordinal < blocks[at].rows, nowhere);
    rows[i] = narrow<std::uint32_t>(blocks[at].row + (ordinals[i] - blocks[at].first_ordinal));
  }
}

}  // namespace headrace::service::delivery
