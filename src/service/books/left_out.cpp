#include "service/books/left_out.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <optional>
#include <span>

#include "base/hash.hpp"
#include "plan/permutation.hpp"

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
std::uint64_t hash_of(const plan::Members& members, std::span<std::uint64_t> ordinals, std::uint32_t first_stager,
                      std::uint32_t last_stager) {
  std::sort(ordinals.begin(), ordinals.end());
  const auto& first = members.first_ordinals();
  std::uint64_t sum = 0;
  std::vector<std::int64_t> samples;
  for (auto stager = first_stager; stager < last_stager; ++stager) {
    const auto begin = std::lower_bound(ordinals.begin(), ordinals.end(), first[stager]);
    const auto end = std::lower_bound(begin, ordinals.end(), first[stager + 1]);
    if (begin == end) continue;
    samples.resize(static_cast<std::size_t>(end - begin));
    members.samples(stager, {begin, end}, samples);
    sum += hash_samples(samples);
  }
  return sum;
}

}  // namespace

std::uint64_t left_out_rows(const blueprint::Blueprint& blueprint, const LeftOut& what) {
  std::uint64_t rows = 0;
  for_each_run(schedule_of(blueprint, what), what,
               [&](std::uint64_t first, std::uint64_t last) { rows += last - first; });
  return rows;
}

std::uint64_t left_out_hash(const blueprint::Blueprint& blueprint, std::uint64_t seed, const LeftOut& what,
                            std::uint32_t first_stager, std::uint32_t last_stager) {
  constexpr std::uint64_t block = 4096;
  const auto schedule = schedule_of(blueprint, what);
  const auto& members = blueprint.members[what.stream];
  std::optional<plan::Permutation> order;
  if (schedule.shuffle() == plan::Shuffle::global)
    order.emplace(schedule.samples(), plan::epoch_key(seed, blueprint.streams[what.stream].name, what.epoch));
  std::array<std::uint64_t, block> ordinals{};
  std::uint64_t sum = 0;
  for_each_run(schedule, what, [&](std::uint64_t first, std::uint64_t last) {
    for (; first < last; first += block) {
      const auto some = std::span(ordinals).first(std::min(block, last - first));
      if (order)
        order->evaluate(first, some);
      else
        std::iota(some.begin(), some.end(), first);
      sum += hash_of(members, some, first_stager, last_stager);
    }
  });
  return sum;
}

}  // namespace headrace::service::books
