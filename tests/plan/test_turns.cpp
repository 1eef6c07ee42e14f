#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "plan/turns.hpp"

namespace {

using namespace headrace::plan;

std::vector<Turn> first_of(const Turns& turns, std::size_t n) {
  std::vector<Turn> all(n);
  turns.follow(0, all);
  return all;
}

/// How far any stretch of the turns is off a class's share.
double worst(const Turns& turns, std::size_t n) {
  const auto all = first_of(turns, n);
  double worst = 0;
  for (std::uint32_t c = 0; c < turns.classes(); ++c) {
    // count - position * share: the stretch from a to b is off by the difference of both ends.
    double low = 0, high = 0, off = 0;
    for (const auto& turn : all) {
      off += (turn.which == c) - static_cast<double>(turns.share(c)) / static_cast<double>(turns.period());
      low = std::min(low, off);
      high = std::max(high, off);
    }
    worst = std::max(worst, high - low);
  }
  return worst;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(turns)

BOOST_AUTO_TEST_CASE(the_pictures_of_the_header) {
  const auto which = [](const std::vector<Turn>& all) {
    std::vector<std::uint32_t> classes;
    for (const auto& turn : all) classes.push_back(turn.which);
    return classes;
  };
  BOOST_TEST((which(first_of(Turns({2, 1, 1}), 8)) == std::vector<std::uint32_t>{0, 1, 2, 0, 0, 1, 2, 0}));
  BOOST_TEST((which(first_of(Turns({7, 7, 7}), 6)) == std::vector<std::uint32_t>{0, 1, 2, 0, 1, 2}));
}

BOOST_AUTO_TEST_CASE(turns_positions_and_counts_agree) {
  std::mt19937_64 random(71);
  for (int i = 0; i < 300; ++i) {
    std::vector<std::uint64_t> shares(1 + random() % 6);
    for (auto& share : shares) share = 1 + random() % (i % 3 == 0 ? 5 : i % 3 == 1 ? 100 : 5000);
    const Turns turns(shares);
    const auto first = random() % (3 * turns.period());
    std::vector<Turn> some(1 + random() % 300);
    turns.follow(first, some);
    bool good = true;
    std::vector<std::uint64_t> counts;
    for (std::uint32_t c = 0; c < shares.size(); ++c) counts.push_back(turns.count(c, first));
    for (std::size_t j = 0; j < some.size(); ++j) {
      good = good && some[j].k == counts[some[j].which]++ && turns.position(some[j].which, some[j].k) == first + j;
      if (j % 50 == 0) good = good && turns.at(first + j) == some[j];
    }
    std::vector<std::uint32_t> classes(some.size());
    turns.classes(first, classes);
    good = good && std::ranges::equal(classes, some, {}, {}, &Turn::which);
    BOOST_TEST(good, i << ", " << shares.size() << " classes");
  }
}

BOOST_AUTO_TEST_CASE(a_period_holds_the_shares) {
  const Turns turns({400'000, 100'003, 7});
  BOOST_TEST(turns.period() == 500'010u);
  for (std::uint32_t c = 0; c < 3; ++c) BOOST_TEST(turns.count(c, turns.period()) == turns.share(c));
  BOOST_TEST(turns.count(2, 500'010u / 14 - 1) == 0u);  // the first of seven stands in the middle of its seventh
  BOOST_TEST(turns.count(2, 500'010u / 14 + 2) == 1u);
}

BOOST_AUTO_TEST_CASE(every_stretch_holds_its_share) {
  for (std::size_t classes : {1u, 2u, 3u, 7u, 40u})
    BOOST_TEST(worst(Turns(std::vector<std::uint64_t>(classes, 1)), classes * 5) <= 1.0);
  std::mt19937_64 random(72);
  double most = 0;
  for (int i = 0; i < 500; ++i) {
    std::vector<std::uint64_t> shares(2 + random() % 8);
    for (auto& share : shares) share = 1 + random() % (1 + random() % 60);
    const Turns turns(shares);
    most = std::max(most, worst(turns, turns.period() * 2));
  }
  BOOST_TEST(most <= 2.0);
  BOOST_TEST_MESSAGE("the worst stretch is off by " << most);
  for (int i = 0; i < 10; ++i) {
    std::vector<std::uint64_t> shares(2 + random() % 8);
    for (auto& share : shares) share = 1 + random() % (1 + random() % 20'000);
    shares[0] += Turns::longest_table;
    const Turns turns(shares);
    BOOST_TEST(worst(turns, turns.period()) <= 4.0);
  }
}

BOOST_AUTO_TEST_SUITE_END()
