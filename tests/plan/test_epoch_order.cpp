#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <numeric>
#include <random>
#include <vector>

#include "plan/epoch_order.hpp"

namespace {

using namespace headrace::plan;

std::vector<std::uint64_t> all_of(const EpochOrder& order) {
  std::vector<std::uint64_t> all(order.size());
  order.evaluate(0, all);
  return all;
}

std::shared_ptr<const Mix> mix(std::vector<std::uint64_t> shares, std::vector<std::uint64_t> members,
                               std::uint64_t positions, Mix::Within within = Mix::Within::batch) {
  return std::make_shared<const Mix>(Mix{Turns(std::move(shares)), within, positions, std::move(members)});
}

std::uint32_t class_of(const Mix& mix, std::uint64_t ordinal) {
  std::uint32_t c = 0;
  while (ordinal >= mix.members[c]) ordinal -= mix.members[c++];
  return c;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(epoch_order)

BOOST_AUTO_TEST_CASE(shuffled_is_the_permutation) {
  const Permutation permutation(1000, epoch_key(3, "train", 7));
  const EpochOrder order(1000, epoch_key(3, "train", 7));
  const auto all = all_of(order);
  for (std::uint64_t p = 0; p < 1000; ++p) BOOST_TEST(all[p] == permutation(p));
  order.positions(all[17], [](std::uint64_t position) { BOOST_TEST(position == 17u); });
  BOOST_TEST(order.stretches().empty());
}

BOOST_AUTO_TEST_CASE(one_window_is_the_order_of_a_whole) {
  const auto key = epoch_key(3, "train", 7);
  const auto windows = std::make_shared<const Windows>(std::vector<std::uint64_t>{0, 400, 400, 1000}, 5);
  const EpochOrder order(std::make_shared<const WindowedOrder>(windows, key));
  BOOST_TEST(all_of(order) == all_of(EpochOrder(1000, key)), boost::test_tools::per_element());
  BOOST_TEST(order.repeated().first == 0u);
  BOOST_TEST(order.repeated().count == 1000u);
}

BOOST_AUTO_TEST_CASE(windows_come_one_after_another) {
  std::vector<std::uint64_t> first;
  for (std::uint64_t b = 0; b <= 40; ++b) first.push_back(b * 25);
  const auto windows = std::make_shared<const Windows>(first, 10);
  const auto windowed = std::make_shared<const WindowedOrder>(windows, 3);
  const EpochOrder order(windowed);
  BOOST_TEST(order.size() == 1000u);
  BOOST_TEST(order.windowed() == windowed.get());
  BOOST_TEST(order.repeated().first == 750u);
  BOOST_TEST(order.repeated().count == 250u);
  const auto all = all_of(order);
  for (std::uint64_t p = 0; p < all.size(); ++p) {
    const auto blocks = windowed->blocks_of(p / 250);
    BOOST_TEST(std::ranges::binary_search(blocks, all[p] / 25));
    std::uint64_t found = 0;
    order.positions(all[p], [&](std::uint64_t position) { found = position; });
    BOOST_TEST(found == p);
  }
  BOOST_TEST(order.stretches().empty());
}

BOOST_AUTO_TEST_CASE(a_class_shows_all_before_it_repeats_one) {
  std::mt19937_64 random(81);
  for (int i = 0; i < 60; ++i) {
    std::vector<std::uint64_t> shares(1 + random() % 4), members;
    for (auto& share : shares) share = 1 + random() % 5, members.push_back(1 + random() % 60);
    const auto within = random() % 2 ? Mix::Within::batch : Mix::Within::epoch;
    const auto planned = mix(shares, members, 1 + random() % 200, within);
    std::vector<std::vector<std::uint64_t>> walked(shares.size());  // of each class over the epochs, by turn
    for (std::uint64_t epoch = 0; epoch < 6; ++epoch) {
      const EpochOrder order(planned, 5, "train", epoch);
      const auto all = all_of(order);
      std::vector<std::map<std::uint64_t, std::uint64_t>> turns(shares.size());
      std::map<std::uint64_t, std::vector<std::uint64_t>> where;
      for (std::uint64_t p = 0; p < all.size(); ++p) {
        where[all[p]].push_back(p);
        turns[class_of(*planned, all[p])][p] = all[p];
      }
      bool inverse = true;
      for (std::uint64_t ordinal = 0; ordinal < std::accumulate(members.begin(), members.end(), std::uint64_t{0});
           ++ordinal) {
        std::vector<std::uint64_t> found;
        order.positions(ordinal, [&](std::uint64_t p) { found.push_back(p); });
        std::ranges::sort(found);
        inverse = inverse && found == where[ordinal];
      }
      BOOST_TEST(inverse);
      for (std::uint32_t c = 0; c < shares.size(); ++c) {
        BOOST_TEST(turns[c].size() == planned->turns_of(c));
        if (within == Mix::Within::batch)
          for (const auto& [p, ordinal] : turns[c]) walked[c].push_back(ordinal);
      }
    }
    for (std::uint32_t c = 0; c < shares.size(); ++c)
      for (std::size_t begin = 0; begin + members[c] <= walked[c].size(); begin += members[c]) {
        std::vector<std::uint64_t> cycle(walked[c].begin() + static_cast<std::ptrdiff_t>(begin),
                                         walked[c].begin() + static_cast<std::ptrdiff_t>(begin + members[c]));
        std::ranges::sort(cycle);
        BOOST_TEST((std::ranges::adjacent_find(cycle) == cycle.end()));
      }
  }
}

BOOST_AUTO_TEST_CASE(any_part_of_an_epoch_is_the_same) {
  const auto planned = mix({3, 2, 1}, {50, 9, 200}, 300);
  for (const auto within : {Mix::Within::batch, Mix::Within::epoch}) {
    auto copy = *planned;
    copy.within = within;
    const EpochOrder order(std::make_shared<const Mix>(copy), 5, "train", 11);
    const auto all = all_of(order);
    std::mt19937_64 random(82);
    for (int i = 0; i < 100; ++i) {
      const auto first = random() % 300;
      std::vector<std::uint64_t> some(random() % (301 - first));
      order.evaluate(first, some);
      BOOST_TEST((std::equal(some.begin(), some.end(), all.begin() + static_cast<std::ptrdiff_t>(first))));
    }
  }
}

BOOST_AUTO_TEST_CASE(stretches_are_the_epoch) {
  std::mt19937_64 random(83);
  for (int i = 0; i < 60; ++i) {
    const std::vector<std::uint64_t> members{1 + random() % 40, 1 + random() % 40, 1 + random() % 40};
    const auto planned = mix({1 + random() % 4, 1 + random() % 4, 1 + random() % 4}, members, 1 + random() % 300);
    const EpochOrder order(planned, 5, "train", random() % 1000);
    auto all = all_of(order);
    std::vector<std::uint64_t> taken, whole(3), parts(3);
    for (const auto& stretch : order.stretches()) {
      const auto length = stretch.last - stretch.first;
      if (length > 0) ++(length == members[stretch.which] ? whole : parts)[stretch.which];
      std::vector<std::uint64_t> part(stretch.last - stretch.first);
      order.evaluate(stretch, stretch.first, part);
      taken.insert(taken.end(), part.begin(), part.end());
    }
    std::ranges::sort(all);
    std::ranges::sort(taken);
    BOOST_TEST((all == taken));
    const auto passes = order.passes();
    for (std::size_t c = 0; c < 3; ++c) {
      BOOST_TEST(passes[c].whole == whole[c]);
      BOOST_TEST(passes[c].parts == parts[c]);
    }
  }
}

BOOST_AUTO_TEST_CASE(passes_are_reckoned_where_no_memory_would_hold_a_list_of_them) {
  const auto planned = mix({1, 1}, {3, 1ull << 40}, 1ull << 41);
  const auto passes = EpochOrder(planned, 5, "train", 0).passes();
  BOOST_TEST(passes[0].whole == (1ull << 40) / 3);
  BOOST_TEST(passes[0].parts == 1u);
  BOOST_TEST(passes[1].whole == 1u);
  BOOST_TEST(passes[1].parts == 0u);
}

BOOST_AUTO_TEST_CASE(epochs_as_long_as_the_shortest_and_the_longest_class) {
  const Turns equal({1, 1, 1});
  const std::vector<std::uint64_t> members{100, 40, 250};
  BOOST_TEST(shortest_epoch(equal, members) == 121u);  // 41, 40, 40: one more would be the 41st of class 1
  BOOST_TEST(longest_epoch(equal, members) == 750u);
  const Turns shares({4, 2, 3});
  for (const auto n : {shortest_epoch(shares, members), longest_epoch(shares, members)}) {
    const auto planned = mix({4, 2, 3}, members, n);
    bool fits = true, full = true;
    for (std::uint32_t c = 0; c < 3; ++c) {
      fits = fits && planned->turns_of(c) <= members[c];
      full = full && planned->turns_of(c) >= members[c];
    }
    BOOST_TEST((n == shortest_epoch(shares, members) ? fits : full));
  }
  // Shares in proportion: both are all samples.
  const Turns proportion(members);
  BOOST_TEST(shortest_epoch(proportion, members) == 390u);
  BOOST_TEST(longest_epoch(proportion, members) == 390u);
}

BOOST_AUTO_TEST_CASE(epochs_far_away) {
  const auto planned = mix({1, 1}, {3, 1ull << 40}, 1ull << 41);
  const EpochOrder order(planned, 5, "train", std::uint64_t{1} << 62);
  std::vector<std::uint64_t> some(64);
  order.evaluate((1ull << 41) - 64, some);
  for (std::size_t i = 0; i < some.size(); ++i) BOOST_TEST((i % 2 == 0 ? some[i] < 3 : some[i] >= 3));
}

BOOST_AUTO_TEST_CASE(recorded_orders) {  // also in ORDER.md; they may never change
  const EpochOrder order(mix({2, 1}, {6, 4}, 9), 42, "train", 1);
  const auto all = all_of(order);
  std::string text;
  for (const auto ordinal : all) text += std::to_string(ordinal) + " ";
  BOOST_TEST(text == "5 6 4 3 6 0 1 8 2 ");
}

BOOST_AUTO_TEST_SUITE_END()
