#include "service/books/left_out.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <span>

#include "base/hash.hpp"
#include "plan/epoch_order.hpp"
#include "plan/radix_sort.hpp"

namespace headrace::service::books {

namespace {

plan::Schedule schedule_of(const blueprint::Blueprint& blueprint, const LeftOut& what) {
  return blueprint.streams[what.stream].schedule(static_cast<std::uint32_t>(what.first_steps.size()));
}

/// f(first, last) for each run of positions that is left out.
void for_each_run(const plan::Schedule& schedule, const LeftOut& what,
                  const std::function<void(std::uint64_t, std::uint64_t)>& f) {
  f(schedule.rows_of_epoch(), schedule.samples());
  for (std::uint32_t rank = 0; rank < what.first_steps.size(); ++rank)
    for (std::uint64_t step = 0; step < what.first_steps[rank]; ++step) {
      const auto share = schedule.share(step, rank);
      f(share.first, share.first + share.rows);
    }
}

/// Hashes of ordinals, which it sorts, as far as these stagers hold them.
std::uint64_t hash_of(const plan::Strata& strata, std::span<std::uint64_t> ordinals, std::uint32_t first_stager,
                      std::uint32_t last_stager) {
  thread_local std::vector<std::uint64_t> scratch;
  plan::radix_sort(ordinals, strata.size(), scratch);
  const auto first = strata.first_ordinals();
  std::uint64_t sum = 0;
  std::vector<std::int64_t> samples;
  for (std::uint32_t set = 0; set < strata.sets().size(); ++set)
    for (auto stager = first_stager; stager < last_stager; ++stager) {
      const auto run = set * strata.stagers() + stager;
      const auto begin = std::lower_bound(ordinals.begin(), ordinals.end(), first[run]);
      const auto end = std::lower_bound(begin, ordinals.end(), first[run + 1]);
      if (begin == end) continue;
      const std::span<std::uint64_t> mine{begin, end};
      for (auto& ordinal : mine) ordinal -= strata.first_of_set(set);
      samples.resize(mine.size());
      strata.sets()[set].samples(stager, mine, samples);
      for (auto& ordinal : mine) ordinal += strata.first_of_set(set);
      sum += hash_samples(samples);
    }
  return sum;
}

/// Adds up hashes, a block of ordinals at a time.
class Sum {
 public:
  Sum(const plan::Strata& strata, std::uint32_t first_stager, std::uint32_t last_stager)
      : strata_(strata), first_stager_(first_stager), last_stager_(last_stager) {}

  /// Of what `ordinals(first, out)` gives for [first, last).
  template <class Ordinals>
  std::uint64_t of(std::uint64_t first, std::uint64_t last, const Ordinals& ordinals) {
    std::uint64_t sum = 0;
    for (; first < last; first += block) {
      const auto some = std::span(ordinals_).first(std::min(block, last - first));
      ordinals(first, some);
      sum += hash_of(strata_, some, first_stager_, last_stager_);
    }
    return sum;
  }

 private:
  static constexpr std::uint64_t block = 4096;
  const plan::Strata& strata_;
  std::uint32_t first_stager_, last_stager_;
  std::array<std::uint64_t, block> ordinals_{};
};

/// Whether it is told by what lacks: the shorter way.
bool nearly_whole(const plan::Stretch& stretch, std::uint64_t members) {
  return stretch.last - stretch.first > members / 2;
}

/// Sums over parts of the permutations that classes walk through.
struct Walks {
  const blueprint::Blueprint& blueprint;
  const plan::EpochOrder& order;
  std::uint32_t stream, first_stager, last_stager;
  Walked& walked;
  Sum& sum;

  std::uint64_t of(const plan::Stretch& stretch, std::uint64_t first, std::uint64_t last) const {
    return sum.of(first, last,
                  [&](std::uint64_t from, std::span<std::uint64_t> out) { order.evaluate(stretch, from, out); });
  }
  std::uint64_t whole(const plan::Stretch& stretch) const {
    return walked.whole(stream, stretch.which, [&] {
      std::uint64_t all = 0;
      for (auto stager = first_stager; stager < last_stager; ++stager)
        all += blueprint::slab_hashes(blueprint, stream, stager)[stretch.which];
      return all;
    });
  }
  /// What the stretch has.
  std::uint64_t sum_of(const plan::Stretch& stretch, std::uint64_t members) const {
    const Walked::Walk walk{stream, stretch.which, stretch.cycle};
    const auto before = walked.first(walk, stretch.first);
    if (before && stretch.first > 0 && stretch.last == members) return whole(stretch) - *before;
    const auto mine = of(stretch, stretch.first, stretch.last);
    if (before) walked.note(walk, stretch.last, *before + mine);
    return mine;
  }
  /// What lacks in it.
  std::uint64_t rest_of(const plan::Stretch& stretch, std::uint64_t members) const {
    const Walked::Walk walk{stream, stretch.which, stretch.cycle};
    const auto known = walked.first(walk, stretch.first);
    const auto before = known ? *known : of(stretch, 0, stretch.first);
    if (stretch.last == members) return before;
    const auto behind = of(stretch, stretch.last, members);
    walked.note(walk, stretch.last, whole(stretch) - behind);
    return before + behind;
  }
};

}  // namespace

std::uint64_t left_out_rows(const blueprint::Blueprint& blueprint, const LeftOut& what) {
  std::uint64_t rows = 0;
  for_each_run(schedule_of(blueprint, what), what,
               [&](std::uint64_t first, std::uint64_t last) { rows += last - first; });
  return rows;
}

bool nothing_left_out(const blueprint::Blueprint& blueprint, std::uint64_t seed, const LeftOut& what) {
  if (left_out_rows(blueprint, what) > 0) return false;
  const auto& facts = blueprint.streams[what.stream];
  if (facts.draw && facts.draw->redrawn()) return false;
  if (!facts.mix) return true;
  return std::ranges::all_of(facts.epoch_order(seed, what.epoch)->stretches(), [&](const plan::Stretch& stretch) {
    return stretch.first == 0 && stretch.last == facts.mix->members[stretch.which];
  });
}

std::uint64_t whole_hash(const blueprint::Blueprint& blueprint, std::uint64_t seed, const LeftOut& what,
                         std::span<const std::uint64_t> set_hashes) {
  const auto& facts = blueprint.streams[what.stream];
  if (!facts.mix) return std::accumulate(set_hashes.begin(), set_hashes.end(), std::uint64_t{0});
  std::uint64_t sum = 0;
  for (const auto& stretch : facts.epoch_order(seed, what.epoch)->stretches())
    if (nearly_whole(stretch, facts.mix->members[stretch.which])) sum += set_hashes[stretch.which];
  return sum;
}

std::uint64_t left_out_hash(const blueprint::Blueprint& blueprint, const plan::Strata& strata, std::uint64_t seed,
                            const LeftOut& what, std::uint32_t first_stager, std::uint32_t last_stager,
                            Walked* walked) {
  const auto& facts = blueprint.streams[what.stream];
  const auto order = facts.epoch_order(seed, what.epoch);
  Sum sum(strata, first_stager, last_stager);
  std::uint64_t hash = 0;
  for_each_run(schedule_of(blueprint, what), what, [&](std::uint64_t first, std::uint64_t last) {
    hash += sum.of(first, last, [&](std::uint64_t from, std::span<std::uint64_t> out) {
      if (order)
        order->evaluate(from, out);
      else
        std::iota(out.begin(), out.end(), from);
    });
  });
  if (facts.draw && facts.draw->redrawn())
    for (auto stager = first_stager; stager < last_stager; ++stager)
      hash -= blueprint::hash_of_more(strata.sets()[0].multiset(stager));
  if (!facts.mix) return hash;
  Walked nothing;
  const Walks walks{blueprint, *order, what.stream, first_stager, last_stager, walked ? *walked : nothing, sum};
  for (const auto& stretch : order->stretches()) {
    const auto members = facts.mix->members[stretch.which];
    hash += nearly_whole(stretch, members) ? walks.rest_of(stretch, members) : 0 - walks.sum_of(stretch, members);
  }
  return hash;
}

}  // namespace headrace::service::books
