// Streams that are not shuffled, cut into laps: each sample in one, neighbours apart, whatever the number of trainers.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>

#include "plan/figures/laps.hpp"

using namespace headrace::plan;

namespace {

/// Borders of so many blocks with up to so many samples, some with none.
Laps::FirstOrdinals blocks_with(std::size_t blocks, std::uint64_t most, std::mt19937_64& random) {
  std::vector<std::uint64_t> first{0};
  while (first.size() <= blocks) first.push_back(first.back() + random() % (most + 1));
  first.back() += 1;
  return std::make_shared<const std::vector<std::uint64_t>>(std::move(first));
}

bool hold(const std::vector<std::uint32_t>& blocks, const std::vector<std::uint64_t>& first, std::uint64_t ordinal) {
  return std::ranges::any_of(blocks, [&](std::uint32_t b) { return first[b] <= ordinal && ordinal < first[b + 1]; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(laps)

BOOST_AUTO_TEST_CASE(each_batch_finds_its_rows_in_its_laps) {
  std::mt19937_64 random(11);
  for (int trial = 0; trial < 150; ++trial) {
    const auto first = blocks_with(40 + random() % 60, 12, random);
    const auto trainers = static_cast<std::uint32_t>(1 + random() % 5),
               batch = static_cast<std::uint32_t>(1 + random() % 9);
    const auto last = std::vector{Last::drop, Last::partial, Last::pad}[random() % 3];
    const Schedule schedule(first->back(), batch, trainers, Shuffle::none, last);
    const Laps laps(first, schedule, 3 + random() % 5);
    std::vector<std::vector<std::uint32_t>> blocks;
    for (std::uint64_t lap = 0; lap < laps.count(); ++lap) blocks.push_back(laps.blocks_of(lap));
    std::uint64_t missing = 0, backwards = 0, wide = 0;
    for (std::uint32_t t = 0; t < trainers; ++t)
      for (std::uint64_t step = 0, before = 0; step < schedule.steps(); ++step) {
        const auto share = schedule.share(step, t);
        std::set<std::uint64_t> of;
        for (std::uint32_t row = 0; row < share.rows; ++row) {
          const auto lap = laps.lap_of(t, share.first + row);
          backwards += lap < before;
          before = lap;
          of.insert(lap);
          missing += !hold(blocks[lap], *first, share.first + row);
        }
        wide += of.size() > 2 && laps.shortest() >= batch;
        for (std::uint32_t row = 0; row < share.padding; ++row)  // repeated in the last lap
          missing += !hold(blocks.back(), *first, (share.padding_first + row) % schedule.samples());
      }
    BOOST_TEST((missing == 0 && backwards == 0 && wide == 0), "trial " << trial);
  }
}

BOOST_AUTO_TEST_CASE(neighbouring_laps_share_no_block_and_few_are_read_twice) {
  std::mt19937_64 random(12);
  for (int trial = 0; trial < 150; ++trial) {
    const auto first = blocks_with(60, 12, random);
    const auto trainers = static_cast<std::uint32_t>(1 + random() % 5);
    const Laps laps(first, {first->back(), 3, trainers, Shuffle::none, Last::partial}, 3 + random() % 5);
    std::size_t read = 0;
    std::vector<std::uint32_t> before;
    std::set<std::uint32_t> all;
    for (std::uint64_t lap = 0; lap < laps.count(); ++lap) {
      const auto blocks = laps.blocks_of(lap);
      BOOST_TEST(std::ranges::is_sorted(blocks));
      std::vector<std::uint32_t> both;
      std::ranges::set_intersection(blocks, before, std::back_inserter(both));
      BOOST_TEST(both.empty());
      read += blocks.size();
      all.insert(blocks.begin(), blocks.end());
      before = blocks;
    }
    BOOST_TEST(read < all.size() + trainers);
    for (std::uint32_t b = 0; b + 1 < first->size(); ++b)
      BOOST_TEST(all.contains(b) == ((*first)[b] < (*first)[b + 1]));
  }
}

BOOST_AUTO_TEST_SUITE_END()
