#include "service/delivery/drawn_epochs.hpp"

#include <algorithm>

namespace headrace::service::delivery {

void DrawnEpochs::connect(Workers& workers, Want want) {
  workers_ = &workers;
  want_ = std::move(want);
}

bool DrawnEpochs::changes(std::uint32_t stream, std::uint64_t epoch) const {
  const auto& draw = blueprint_.streams[stream].draw;
  return epoch > 0 && draw && draw->redrawn();
}

DrawnEpochs::Epoch& DrawnEpochs::touch(const Key& key) {
  auto& epoch = epochs_[key];
  epoch.touched = ++touches_;
  forget(key.first);
  return epoch;
}

/// Those that nobody waits for and that were not used for longest, beyond the number that is kept.
void DrawnEpochs::forget(std::uint32_t stream) {
  const auto first = epochs_.lower_bound({stream, 0}), last = epochs_.lower_bound({stream + 1, 0});
  std::vector<std::pair<std::uint64_t, std::uint64_t>> idle;  // touched, epoch
  for (auto at = first; at != last; ++at)
    if (at->second.waiting.empty()) idle.emplace_back(at->second.touched, at->first.second);
  std::ranges::sort(idle);
  for (std::size_t i = 0; i + kept < idle.size(); ++i) epochs_.erase({stream, idle[i].second});
}

std::shared_ptr<const plan::Strata> DrawnEpochs::strata(std::uint32_t stream, std::uint64_t epoch,
                                                        const std::function<void()>& ready) {
  bool first = false;
  {
    const Lock lock(mutex_);
    auto& known = touch({stream, epoch});
    if (known.all) return known.all;
    known.waiting.push_back(ready);
    first = ask(known);
  }
  if (first) want_(stream, epoch);
  return nullptr;
}

void DrawnEpochs::prepare(std::uint32_t stream, std::uint64_t epoch) {
  bool first = false;
  {
    const Lock lock(mutex_);
    auto& known = touch({stream, epoch});
    first = !known.all && ask(known);
  }
  if (first) want_(stream, epoch);
}

DrawnEpochs::Mine DrawnEpochs::mine(std::uint32_t stream, std::uint64_t epoch) {
  const Key key{stream, epoch};
  const auto known = [&] {
    const Lock lock(mutex_);
    return touch(key).mine;
  };
  if (auto found = known(); found.slabs) return found;
  const Lock one_at_a_time(drawing_);
  if (auto found = known(); found.slabs) return found;  // somebody drew it meanwhile
  const auto& node = *blueprint_.draws[stream];
  auto slabs = node.epoch(epoch);
  std::vector<std::uint64_t> rows(blueprint_.placement.stagers());
  for (std::size_t i = 0; i < slabs->size(); ++i) rows[node.first + i] = (*slabs)[i].size();
  const Mine made{slabs, std::make_shared<const plan::Strata>(node.strata(slabs, rows))};
  const Lock lock(mutex_);
  return touch(key).mine = made;
}

std::uint64_t DrawnEpochs::rows(std::uint32_t stream, std::uint64_t epoch) {
  return (*mine(stream, epoch).slabs)[local_].size();
}

void DrawnEpochs::came(std::uint32_t stream, std::uint64_t epoch, const std::vector<std::uint64_t>& rows) {
  workers_->post([this, stream, epoch, rows] {
    {
      const Lock lock(mutex_);
      if (!epochs_.contains({stream, epoch})) return;
    }
    auto all = std::make_shared<const plan::Strata>(blueprint_.draws[stream]->strata(mine(stream, epoch).slabs, rows));
    std::vector<std::function<void()>> waiting;
    {
      const Lock lock(mutex_);
      auto& known = touch({stream, epoch});
      known.all = std::move(all);
      waiting.swap(known.waiting);
    }
    for (const auto& ready : waiting) ready();
  });
}

}  // namespace headrace::service::delivery
