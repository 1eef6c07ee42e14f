#include "plan/epoch_order.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/contract.hpp"
#include "base/hash.hpp"
#include "plan/wide.hpp"

namespace headrace::plan {

namespace {

/// Memory that each thread keeps.
struct Scratch {
  std::vector<Turn> turns;
  std::vector<std::uint32_t> classes;
  std::vector<std::uint64_t> positions, ordinals;
  std::vector<std::vector<std::uint32_t>> rows;  // of each class
  std::vector<const std::uint64_t*> next;        // ordinal of each class
};

Scratch& scratch() {
  thread_local Scratch mine;
  return mine;
}

}  // namespace

std::uint64_t shortest_epoch(const Turns& turns, std::span<const std::uint64_t> members) {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (std::uint32_t c = 0; c < members.size(); ++c) least = std::min(least, turns.position(c, members[c]));
  return least;
}

std::uint64_t longest_epoch(const Turns& turns, std::span<const std::uint64_t> members) {
  std::uint64_t most = 0;
  for (std::uint32_t c = 0; c < members.size(); ++c) most = std::max(most, turns.position(c, members[c] - 1) + 1);
  return most;
}

EpochOrder::EpochOrder(std::uint64_t n, std::uint64_t key) : permutation_(n, key) {}

EpochOrder::EpochOrder(std::shared_ptr<const Mix> mix, std::uint64_t seed, std::string_view stream, std::uint64_t epoch)
    : permutation_(mix->positions, epoch_key(seed, stream, epoch)),
      mix_(std::move(mix)),
      key_(epoch_key(seed, stream, 0)) {
  std::uint64_t before = 0;
  for (std::uint32_t c = 0; c < mix_->members.size(); ++c) {
    const auto turns = mix_->turns_of(c), members = mix_->members[c];
    const auto so_far = Unsigned128{epoch} * turns;  // in all epochs in front
    walks_.push_back(
        {before, static_cast<std::uint64_t>(so_far / members), static_cast<std::uint64_t>(so_far % members), turns});
    before += members;
  }
}

EpochOrder::EpochOrder(std::shared_ptr<const WindowedOrder> windowed)
    : permutation_(windowed->size(), 0), windowed_(std::move(windowed)) {}

EpochOrder::Repeated EpochOrder::repeated() const {
  if (!windowed_) return {0, size()};
  const auto& starts = windowed_->starts();
  const auto last = windowed_->window_of(size());
  return {starts[last], starts[last + 1] - starts[last]};
}

/// Classes and their permutations have keys of their own.
Permutation EpochOrder::permutation_of(std::uint32_t which, std::uint64_t cycle) const {
  return {mix_->members[which], sample_hash(sample_hash(sample_hash(key_) + which + 1) + cycle)};
}

void EpochOrder::evaluate(std::uint64_t first, std::span<std::uint64_t> out) const {
  EXPECTS(first <= size() && out.size() <= size() - first);
  if (windowed_)
    windowed_->evaluate(first, out);
  else if (!mix_)
    permutation_.evaluate(first, out);
  else if (mix_->within == Mix::Within::batch)
    mixed_by_batch(first, out);
  else
    mixed_by_epoch(first, out);
}

/// out[i]: the ordinal of the class's turn k + i of the epoch.
void EpochOrder::follow(std::uint32_t which, std::uint64_t k, std::span<std::uint64_t> out) const {
  const auto& walk = walks_[which];
  const auto members = mix_->members[which];
  while (!out.empty()) {
    const auto number = walk.skip + k, place = number % members;  // from the start of the epoch's first permutation
    const auto run = out.first(std::min<std::uint64_t>(out.size(), members - place));
    permutation_of(which, walk.cycle + number / members).evaluate(place, run);
    for (auto& ordinal : run) ordinal += walk.before;
    out = out.subspan(run.size());
    k += run.size();
  }
}

/// Turns of a class follow each other here: they are worked out together, and dealt out as the classes come.
void EpochOrder::mixed_by_batch(std::uint64_t first, std::span<std::uint64_t> out) const {
  auto& [turns, classes, positions, ordinals, rows, next] = scratch();
  classes.resize(out.size());
  mix_->turns.classes(first, classes);
  ordinals.resize(out.size());
  next.resize(walks_.size());
  std::span<std::uint64_t> rest = ordinals;
  for (std::uint32_t c = 0; c < walks_.size(); ++c) {
    const auto k = mix_->turns.count(c, first), end = mix_->turns.count(c, first + out.size());
    next[c] = rest.data();
    follow(c, k, rest.first(end - k));
    rest = rest.subspan(end - k);
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = *next[classes[i]]++;
}

void EpochOrder::mixed_by_epoch(std::uint64_t first, std::span<std::uint64_t> out) const {
  auto& [turns, classes, positions, ordinals, rows, next] = scratch();
  turns.resize(out.size());
  positions.resize(out.size());
  permutation_.evaluate(first, positions);
  for (std::size_t i = 0; i < out.size(); ++i) turns[i] = mix_->turns.at(positions[i]);
  if (rows.size() < walks_.size()) rows.resize(walks_.size());
  for (auto& of_class : rows) of_class.clear();
  for (std::uint32_t i = 0; i < turns.size(); ++i) rows[turns[i].which].push_back(i);
  for (std::uint32_t c = 0; c < walks_.size(); ++c) {
    const auto& walk = walks_[c];
    const auto members = mix_->members[c];
    const auto cycle = [&](std::uint32_t row) { return (walk.skip + turns[row].k) / members; };
    // Those of one permutation are worked out together.
    if (walk.skip + walk.turns > members) std::ranges::sort(rows[c], {}, cycle);
    for (auto run = rows[c].begin(); run != rows[c].end();) {
      const auto of = cycle(*run);
      const auto end = std::find_if(run, rows[c].end(), [&](std::uint32_t row) { return cycle(row) != of; });
      ordinals.clear();
      for (auto row = run; row != end; ++row) ordinals.push_back(walk.skip + turns[*row].k - of * members);
      permutation_of(c, walk.cycle + of).evaluate(ordinals);
      for (const auto ordinal : ordinals) out[*run++] = walk.before + ordinal;
    }
  }
}

void EpochOrder::positions(std::uint64_t ordinal, const std::function<void(std::uint64_t)>& f) const {
  if (windowed_) return f(windowed_->position(ordinal));
  if (!mix_) return f(permutation_.inverse(ordinal));
  const auto after = std::ranges::find_if(walks_, [&](const Walk& walk) { return walk.before > ordinal; });
  const auto which = static_cast<std::uint32_t>(after - walks_.begin() - 1);
  const auto& walk = walks_[which];
  const auto members = mix_->members[which];
  for (std::uint64_t cycle = 0; cycle * members < walk.skip + walk.turns; ++cycle) {
    const auto number = cycle * members + permutation_of(which, walk.cycle + cycle).inverse(ordinal - walk.before);
    if (number < walk.skip || number >= walk.skip + walk.turns) continue;
    const auto position = mix_->turns.position(which, number - walk.skip);
    f(mix_->within == Mix::Within::batch ? position : permutation_.inverse(position));
  }
}

std::vector<Stretch> EpochOrder::stretches() const {
  std::vector<Stretch> all;
  for (std::uint32_t c = 0; c < walks_.size(); ++c) {
    const auto& walk = walks_[c];
    const auto members = mix_->members[c], end = walk.skip + walk.turns;
    for (std::uint64_t cycle = 0; cycle * members < end; ++cycle) {
      const auto begin = cycle * members;
      all.push_back({c, walk.cycle + cycle, cycle == 0 ? walk.skip : 0, std::min(end - begin, members)});
    }
  }
  return all;
}

std::vector<EpochOrder::Passes> EpochOrder::passes() const {
  std::vector<Passes> all;
  for (std::uint32_t c = 0; c < walks_.size(); ++c) {
    const auto& walk = walks_[c];
    const auto members = mix_->members[c];
    const auto head = walk.skip > 0 ? std::min(walk.turns, members - walk.skip) : 0;  // of a permutation begun before
    const auto rest = walk.turns - head;
    all.push_back({rest / members, (head > 0 ? 1u : 0u) + (rest % members > 0 ? 1u : 0u)});
  }
  return all;
}

void EpochOrder::evaluate(const Stretch& stretch, std::uint64_t first, std::span<std::uint64_t> out) const {
  permutation_of(stretch.which, stretch.cycle).evaluate(first, out);
  for (auto& ordinal : out) ordinal += walks_[stretch.which].before;
}

}  // namespace headrace::plan
