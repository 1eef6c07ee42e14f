#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <random>
#include <set>

#include "plan/windows.hpp"

using namespace headrace::plan;

BOOST_AUTO_TEST_SUITE(windows)

namespace {

/// Blocks of random lengths, some of them empty.
std::shared_ptr<const Windows> random_windows(std::mt19937_64& random, std::uint64_t blocks,
                                              std::uint64_t blocks_a_window = 0) {
  std::vector<std::uint64_t> first{0};
  for (std::uint64_t b = 0; b < blocks; ++b) first.push_back(first.back() + (random() % 4 == 0 ? 0 : random() % 40));
  if (blocks_a_window == 0) blocks_a_window = 1 + random() % (blocks + 3);
  return std::make_shared<const Windows>(std::move(first), blocks_a_window);
}

/// Which of those with rows it is.
std::uint64_t number_of(const Windows& windows, std::uint32_t block) {
  const auto& filled = windows.filled();
  return static_cast<std::uint64_t>(std::lower_bound(filled.begin(), filled.end(), block) - filled.begin());
}

std::vector<std::uint64_t> all_of(const WindowedOrder& order) {
  std::vector<std::uint64_t> all(order.size());
  order.evaluate(0, all);
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_ordinal_once_and_back) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 400; ++round) {
    const auto windows = random_windows(random, random() % 60);
    const WindowedOrder order(windows, random());
    const auto all = all_of(order);
    auto sorted = all;
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::uint64_t> expected(all.size());
    std::iota(expected.begin(), expected.end(), 0);
    BOOST_TEST(sorted == expected);
    for (std::uint64_t p = 0; p < all.size(); ++p) BOOST_TEST(order.position(all[p]) == p);
    // Any part is that part of the whole.
    if (all.empty()) continue;
    const auto first = random() % all.size();
    std::vector<std::uint64_t> part(random() % (all.size() - first + 1));
    order.evaluate(first, part);
    BOOST_TEST(std::equal(part.begin(), part.end(), all.begin() + static_cast<std::ptrdiff_t>(first)));
  }
}

BOOST_AUTO_TEST_CASE(a_window_has_one_block_of_each_run) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 200; ++round) {
    const auto windows = random_windows(random, 1 + random() % 300);
    const WindowedOrder order(windows, random());
    std::set<std::uint32_t> seen;
    const auto all = all_of(order);
    for (std::uint64_t w = 0; w < windows->count(); ++w) {
      const auto blocks = order.blocks_of(w);
      BOOST_TEST(blocks.size() <= windows->blocks_a_window());
      std::set<std::uint64_t> runs;
      for (const auto block : blocks) {
        BOOST_TEST(seen.insert(block).second);
        BOOST_TEST(windows->rows(block) > 0u);
        BOOST_TEST(runs.insert(windows->slot_of(number_of(*windows, block)) / windows->count()).second);
      }
      BOOST_TEST(std::is_sorted(blocks.begin(), blocks.end()));
      for (auto p = order.starts()[w]; p < order.starts()[w + 1]; ++p) {
        const auto block = static_cast<std::uint32_t>(windows->block_of(all[p]));
        BOOST_TEST(std::binary_search(blocks.begin(), blocks.end(), block));
        BOOST_TEST(order.window_of(p) == w);
      }
    }
    BOOST_TEST((std::vector<std::uint32_t>(seen.begin(), seen.end()) == windows->filled()));
  }
}

BOOST_AUTO_TEST_CASE(one_window_is_the_order_without) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 50; ++round) {
    const auto blocks = 1 + random() % 40;
    std::vector<std::uint64_t> first{0};
    for (std::uint64_t b = 0; b < blocks; ++b) first.push_back(first.back() + random() % 30);
    const auto key = random();
    const WindowedOrder order(std::make_shared<const Windows>(first, blocks + random() % 3), key);
    std::vector<std::uint64_t> expected(order.size());
    Permutation(order.size(), key).evaluate(0, expected);
    BOOST_TEST(all_of(order) == expected);
  }
}

BOOST_AUTO_TEST_CASE(blocks_stand_in_slots_of_their_own_evenly) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 300; ++round) {
    const auto wanted = 1 + random() % 60;
    const auto windows = random_windows(random, 1 + random() % 200, wanted);
    const auto filled = windows->filled().size();
    BOOST_TEST(windows->blocks_a_window() <= wanted);
    BOOST_TEST(windows->count() == std::max<std::uint64_t>(1, (filled + wanted - 1) / wanted));
    const auto slots = windows->count() * windows->blocks_a_window();
    BOOST_TEST(slots >= filled);
    BOOST_TEST(slots < filled + std::max<std::uint64_t>(2, windows->count()));  // as few empty ones as can be
    for (std::uint64_t k = 0; k < filled; ++k) {
      BOOST_TEST(windows->slot_of(k) < slots);
      if (k > 0) BOOST_TEST(windows->slot_of(k) > windows->slot_of(k - 1));
    }
  }
}

BOOST_AUTO_TEST_CASE(windows_are_as_equal_as_can_be) {
  // 1000 equal blocks, at most 768 in memory: two windows of 500, not one of 768.
  std::vector<std::uint64_t> first;
  for (std::uint64_t b = 0; b <= 1000; ++b) first.push_back(b * 7);
  const auto windows = std::make_shared<const Windows>(first, 768);
  BOOST_TEST(windows->count() == 2u);
  const WindowedOrder order(windows, 5);
  BOOST_TEST(order.starts() == (std::vector<std::uint64_t>{0, 3500, 7000}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(nothing_selected) {
  const auto windows = std::make_shared<const Windows>(std::vector<std::uint64_t>{0, 0, 0}, 1);
  const WindowedOrder order(windows, 5);
  BOOST_TEST(order.size() == 0u);
  BOOST_TEST(order.window_of(0) == 0u);
  order.evaluate(0, {});
}

BOOST_AUTO_TEST_CASE(windows_that_are_alike_have_the_same_blocks_for_all_streams) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 200; ++round) {
    const auto blocks = 1 + random() % 40, count = 1 + random() % 10, key = random();
    std::vector<std::vector<std::uint32_t>> dealt;
    for (int stream = 0; stream < 3; ++stream) {
      std::vector<std::uint64_t> first{0};
      for (std::uint64_t b = 0; b < blocks; ++b)
        first.push_back(first.back() + (random() % 3 == 0 || stream == 2 ? 0 : random() % 40));
      const auto windows = std::make_shared<const Windows>(Windows::alike(first, count, key));
      BOOST_TEST(windows->count() == std::min(blocks, count));
      const WindowedOrder order(windows, random());
      const auto all = all_of(order);
      auto sorted = all;
      std::ranges::sort(sorted);
      for (std::uint64_t p = 0; p < all.size(); ++p) {
        BOOST_TEST(sorted[p] == p);
        BOOST_TEST(order.position(all[p]) == p);
        const auto of = order.blocks_of(order.window_of(p));
        BOOST_TEST(std::ranges::binary_search(of, static_cast<std::uint32_t>(windows->block_of(all[p]))));
      }
      for (std::uint64_t w = 0; w < windows->count(); ++w) {
        const auto of = order.blocks_of(w);
        BOOST_TEST(of.size() <= (blocks + count - 1) / std::min(blocks, count));
        if (stream == 0)
          dealt.emplace_back(of.begin(), of.end());
        else
          BOOST_TEST(std::ranges::equal(of, dealt[w]));
      }
    }
  }
}

// Computed from ORDER.md in Python: saved positions mean the same to later releases.
BOOST_AUTO_TEST_CASE(the_order_stays_what_it_is) {
  const auto windows = std::make_shared<const Windows>(std::vector<std::uint64_t>{0, 3, 3, 5, 9, 10, 12}, 2);
  BOOST_TEST(all_of(WindowedOrder(windows, epoch_key(42, "train", 1))) ==
                 (std::vector<std::uint64_t>{2, 0, 1, 9, 11, 8, 7, 5, 6, 10, 4, 3}),
             boost::test_tools::per_element());
  // Of an early start.
  const auto early = std::make_shared<const Windows>(
      Windows::alike(std::vector<std::uint64_t>{0, 3, 3, 5, 9, 10, 12}, 3, epoch_key(42, "", 0)));
  BOOST_TEST(all_of(WindowedOrder(early, epoch_key(42, "train", 0))) ==
                 (std::vector<std::uint64_t>{10, 11, 4, 3, 9, 2, 7, 6, 8, 5, 0, 1}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(epochs_differ) {
  const auto windows = std::make_shared<const Windows>(std::vector<std::uint64_t>{0, 10, 20, 30, 40, 50, 60}, 2);
  std::set<std::vector<std::uint32_t>> firsts;
  for (std::uint64_t key = 0; key < 64; ++key) {
    const WindowedOrder order(windows, epoch_key(1, "train", key));
    const auto blocks = order.blocks_of(0);
    firsts.insert({blocks.begin(), blocks.end()});
  }
  BOOST_TEST(firsts.size() == 9u);  // each of the first three with each of the last three
}

BOOST_AUTO_TEST_CASE(no_window_has_fewer_than_the_least_rows) {
  std::mt19937_64 random(7);
  std::uint64_t reached = 0;
  for (int round = 0; round < 1000; ++round) {
    const auto windows = random_windows(random, 1 + random() % 40);
    const auto least = windows->least_rows();
    for (int epoch = 0; epoch < 5; ++epoch) {
      const WindowedOrder order(windows, random());
      for (std::uint64_t w = 0; w < windows->count(); ++w) {
        BOOST_TEST(order.starts()[w + 1] - order.starts()[w] >= least);
        reached += order.starts()[w + 1] - order.starts()[w] == least;
      }
      if (windows->count() < 3) continue;
      // So many positions never lie in three windows; one more may.
      BOOST_TEST((windows->two_hold(least + 1) && !windows->two_hold(least + 2)));
      std::uint64_t in_three = 0;
      for (std::uint64_t first = 0; first + least < order.size(); ++first)
        in_three += order.window_of(first + least) > order.window_of(first) + 1;
      BOOST_TEST(in_three == 0u);
    }
  }
  BOOST_TEST(reached > 1000u);  // it is no lower than it must be
  const Windows differ({0, 333, 666, 1000, 1003, 1336}, 1);
  BOOST_TEST(differ.least_rows() == 3u);
  const Windows two({0, 333, 666, 669}, 2);
  BOOST_TEST((two.count() == 2 && two.two_hold(600)));  // which are both in memory
}

BOOST_AUTO_TEST_SUITE_END()
