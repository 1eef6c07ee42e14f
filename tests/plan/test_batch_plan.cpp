// Whole epochs: every sample once, the same global batches whoever holds and whoever asks, pieces that fit together.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <random>
#include <vector>

#include "plan/batch_plan.hpp"
#include "plan/radix_sort.hpp"

namespace {

using namespace headrace::plan;

/// Random slab borders over n ordinals, some slabs empty.
std::vector<std::uint64_t> random_borders(std::mt19937_64& random, std::uint64_t n, std::size_t stagers) {
  std::vector<std::uint64_t> first{0};
  for (std::size_t s = 1; s < stagers; ++s)
    first.push_back(random() % 4 == 0 && !first.empty() ? first.back() : random() % (n + 1));
  std::sort(first.begin(), first.end());
  first.push_back(n);
  return first;
}

bool ascending(std::span<const std::uint64_t> values) {
  return std::is_sorted(values.begin(), values.end());
}

/// The pieces cover the rows in order, each row where its stager's slab is, and no two neighbours could be one.
bool fits(const BatchPlan& plan, const Share& share, std::span<const std::uint64_t> first) {
  std::uint32_t row = 0;
  for (std::size_t i = 0; i < plan.pieces.size(); ++i) {
    const auto& piece = plan.pieces[i];
    if (piece.first_row != row || piece.rows == 0 || piece.run + 1 >= first.size()) return false;
    if (i > 0 && piece.first_row != share.rows && plan.pieces[i - 1].run >= piece.run) return false;
    for (; row < piece.first_row + piece.rows; ++row) {
      const auto ordinal = plan.ordinals[row];
      if (ordinal < first[piece.run] || ordinal >= first[piece.run + 1]) return false;
    }
  }
  return row == share.rows + share.padding && plan.ordinals.size() == row;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(batch_plan)

BOOST_AUTO_TEST_CASE(sorts_like_std_sort) {
  std::mt19937_64 random(41);
  std::vector<std::uint64_t> scratch;
  for (int i = 0; i < 2000; ++i) {
    const auto bits = 1 + random() % 62;
    const std::uint64_t limit = 1 + random() % (1ull << bits);
    std::vector<std::uint64_t> keys(random() % (i % 10 == 0 ? 20'000 : 1500));
    for (auto& key : keys) key = random() % limit;
    auto wanted = keys;
    std::sort(wanted.begin(), wanted.end());
    radix_sort(keys, limit, scratch);
    BOOST_TEST((keys == wanted), keys.size() << " keys below " << limit);
  }
}

BOOST_AUTO_TEST_CASE(every_sample_exactly_once) {
  std::mt19937_64 random(42);
  BatchPlanner planner;
  for (int i = 0; i < 600; ++i) {
    const std::uint64_t n = 1 + random() % 4000;
    const auto batch = static_cast<std::uint32_t>(1 + random() % 300),
               trainers = static_cast<std::uint32_t>(1 + random() % 6);
    const auto shuffle = random() % 3 == 0 ? Shuffle::none : Shuffle::global;
    const auto last = static_cast<Last>(random() % 3);
    const Schedule schedule(n, batch, trainers, shuffle, last);
    const EpochOrder order(n, random());
    const auto first = random_borders(random, n, 1 + random() % 50);
    std::vector<int> seen(n);
    bool good = true;
    for (std::uint64_t step = 0; step < schedule.steps(); ++step)
      for (std::uint32_t t = 0; t < trainers; ++t) {
        const auto share = schedule.share(step, t);
        const auto& plan = planner(share, shuffle == Shuffle::global ? &order : nullptr, first);
        const auto real = std::span(plan.ordinals).first(share.rows);
        good = good && fits(plan, share, first) && ascending(real) &&
               ascending(std::span(plan.ordinals).subspan(share.rows));
        for (const auto ordinal : real) ++seen[ordinal];
      }
    BOOST_TEST(good);
    const auto once = static_cast<std::uint64_t>(std::count(seen.begin(), seen.end(), 1));
    const auto never = static_cast<std::uint64_t>(std::count(seen.begin(), seen.end(), 0));
    BOOST_TEST(once == schedule.rows_of_epoch());
    BOOST_TEST(once + never == n);
    if (last == Last::drop) BOOST_TEST(once == schedule.steps() * batch * trainers);
  }
}

BOOST_AUTO_TEST_CASE(the_same_global_batches_for_all) {
  std::mt19937_64 random(43);
  BatchPlanner planner;
  for (int i = 0; i < 60; ++i) {
    const std::uint64_t n = 200 + random() % 3000;
    const auto last = static_cast<Last>(random() % 3);
    const EpochOrder order(n, random());
    std::vector<std::vector<std::uint64_t>> wanted;
    for (const std::uint32_t trainers : {1, 2, 3, 4, 8, 12}) {
      const Schedule schedule(n, 48 / trainers, trainers, Shuffle::global, last);
      const auto first = random_borders(random, n, 1 + random() % 20);
      std::vector<std::vector<std::uint64_t>> batches(schedule.steps());
      for (std::uint64_t step = 0; step < schedule.steps(); ++step) {
        for (std::uint32_t t = 0; t < trainers; ++t) {
          const auto& plan = planner(schedule.share(step, t), &order, first);
          batches[step].insert(batches[step].end(), plan.ordinals.begin(), plan.ordinals.end());
        }
        std::sort(batches[step].begin(), batches[step].end());
      }
      if (wanted.empty()) wanted = batches;
      BOOST_TEST((batches == wanted), "T=" << trainers);
    }
  }
}

BOOST_AUTO_TEST_CASE(padding_follows_the_real_rows) {
  BatchPlanner planner;
  const std::vector<std::uint64_t> first{0, 3, 3, 5};
  const auto& plan = planner({4, 1, 7, 1}, nullptr, first);  // position 4, then 1 2 3 4 0 1 2
  BOOST_TEST((plan.ordinals == std::vector<std::uint64_t>{4, 0, 1, 1, 2, 2, 3, 4}));
  BOOST_TEST((plan.pieces == std::vector<Piece>{{2, 0, 1}, {0, 1, 5}, {2, 6, 2}}));
}

BOOST_AUTO_TEST_CASE(padding_repeats_the_window_in_hand) {
  // 10 samples in 5 blocks, windows of 2 blocks: positions 0-3, 4-7, 8-9 or the like; global batches of 7.
  const auto windows = std::make_shared<const Windows>(std::vector<std::uint64_t>{0, 2, 4, 6, 8, 10}, 2);
  const auto windowed = std::make_shared<const WindowedOrder>(windows, 4);
  const EpochOrder order(windowed);
  const auto in_hand = order.repeated();
  std::vector<std::uint64_t> all(10), wanted;
  order.evaluate(0, all);
  for (std::uint64_t p = 7; p < 10; ++p) wanted.push_back(all[p]);
  for (std::uint64_t j = 0; j < 4; ++j) wanted.push_back(all[in_hand.first + j % in_hand.count]);
  std::sort(wanted.begin(), wanted.end());
  const std::vector<std::uint64_t> first{0, 3, 10};
  for (const std::uint32_t trainers : {1u, 7u}) {
    const Schedule schedule(10, 7 / trainers, trainers, Shuffle::global, Last::pad);
    BatchPlanner planner;
    std::vector<std::uint64_t> batch;
    for (std::uint32_t t = 0; t < trainers; ++t) {
      const auto& plan = planner(schedule.share(1, t), &order, first);
      batch.insert(batch.end(), plan.ordinals.begin(), plan.ordinals.end());
    }
    std::sort(batch.begin(), batch.end());
    BOOST_TEST(batch == wanted, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(batches_across_windows_ascend) {
  std::mt19937_64 random(45);
  BatchPlanner planner;
  for (int i = 0; i < 100; ++i) {
    std::vector<std::uint64_t> blocks{0};
    for (std::uint64_t b = 0, count = 1 + random() % 60; b < count; ++b)
      blocks.push_back(blocks.back() + random() % 40);
    const auto windows = std::make_shared<const Windows>(blocks, 1 + random() % 20);
    const EpochOrder order(std::make_shared<const WindowedOrder>(windows, random()));
    const auto n = order.size();
    if (n == 0) continue;
    const auto first = random_borders(random, n, 1 + random() % 20);
    const Schedule schedule(n, static_cast<std::uint32_t>(1 + random() % 300), 2, Shuffle::global, Last::pad);
    std::vector<int> seen(n);
    for (std::uint64_t step = 0; step < schedule.steps(); ++step)
      for (std::uint32_t t = 0; t < 2; ++t) {
        const auto share = schedule.share(step, t);
        const auto& plan = planner(share, &order, first);
        BOOST_TEST(fits(plan, share, first));
        const auto real = std::span(plan.ordinals).first(share.rows);
        BOOST_TEST(ascending(real));
        for (const auto ordinal : real) ++seen[ordinal];
      }
    BOOST_TEST(std::count(seen.begin(), seen.end(), 1) == static_cast<std::ptrdiff_t>(n));
  }
}

BOOST_AUTO_TEST_CASE(empty_shares) {
  BatchPlanner planner;
  const std::vector<std::uint64_t> first{0, 10}, nothing{0, 0};
  planner({0, 5}, nullptr, first);
  BOOST_TEST(planner({10, 0}, nullptr, first).ordinals.empty());
  BOOST_TEST(planner({10, 0}, nullptr, first).pieces.empty());
  BOOST_TEST(planner({0, 0}, nullptr, nothing).pieces.empty());
  const auto& padded = planner({10, 0, 2, 0}, nullptr, first);
  BOOST_TEST((padded.pieces == std::vector<Piece>{{0, 0, 2}}));
}

BOOST_AUTO_TEST_CASE(thousands_of_stagers) {
  std::mt19937_64 random(44);
  const std::uint64_t n = 1'000'000;
  const EpochOrder order(n, 1);
  BatchPlanner planner;
  for (int i = 0; i < 20; ++i) {
    const auto first = random_borders(random, n, 5000);
    const Share share{random() % (n - 1000), static_cast<std::uint32_t>(1 + random() % 1000)};
    const auto& plan = planner(share, &order, first);
    BOOST_TEST(fits(plan, share, first));
    std::vector<std::uint64_t> wanted(share.rows);
    order.evaluate(share.first, wanted);
    std::sort(wanted.begin(), wanted.end());
    BOOST_TEST((plan.ordinals == wanted));
  }
}

BOOST_AUTO_TEST_SUITE_END()
