// Sets of numbers kept as runs, against std::set.
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>

#include "service/books/runs.hpp"

using headrace::service::books::Runs;

BOOST_AUTO_TEST_SUITE(runs)

BOOST_AUTO_TEST_CASE(does_what_a_set_does) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    Runs runs;
    std::set<std::uint64_t> model;
    const auto range = 1 + random() % 40;
    for (int i = 0; i < 60; ++i) {
      const auto number = random() % range;
      if (random() % 8 == 0) {
        auto behind = number;
        if (!model.contains(number - 1)) {
          for (; model.contains(behind); ++behind) model.erase(behind);
        }
        BOOST_TEST(runs.take_from(number) == behind);
      } else if (!model.contains(number)) {
        model.insert(number);
        runs.insert(number);
      }
      for (std::uint64_t n = 0; n < range; ++n) {
        auto behind = n;
        while (model.contains(behind)) ++behind;
        BOOST_TEST(runs.contains(n) == model.contains(n));
        BOOST_TEST(runs.behind(n).value_or(n) == behind);
      }
      BOOST_TEST(runs.empty() == model.empty());
      if (!model.empty()) BOOST_TEST(runs.last().value() == *model.rbegin());
      std::size_t gaps = 0;
      for (const auto n : model) gaps += !model.contains(n + 1);
      BOOST_TEST(runs.runs() == gaps);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
