#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "base/error.hpp"
#include "plan/placement.hpp"

namespace {
using namespace headrace::plan;
}

BOOST_AUTO_TEST_SUITE(placement)

BOOST_AUTO_TEST_CASE(rows_count_the_stored_samples_of_a_slab) {
  const std::vector<Selection> streams{Selection::parse("10:50:2", 100), Selection::parse("40:80", 100)};
  const Placement placement({{0, 30}, {30, 30}, {30, 60}, {60, 100}}, Selection::unite(streams));
  BOOST_TEST(placement.rows(0) == 10u);
  BOOST_TEST(placement.rows(1) == 0u);
  BOOST_TEST(placement.rows(2) == 5u + 20u);
  BOOST_TEST(placement.rows(3) == 20u);
  const Strata stream(Members(streams[1], placement.slabs()));
  BOOST_TEST((stream.sets()[0].first_ordinals() == std::vector<std::uint64_t>{0, 0, 0, 20, 40}));
  const std::vector<std::uint64_t> ordinals{0, 1, 19};
  std::vector<std::int64_t> samples(3);
  std::vector<std::uint32_t> rows(3);
  placement.locate(stream, 2, ordinals, samples, rows);
  BOOST_TEST((samples == std::vector<std::int64_t>{40, 41, 59}));
  BOOST_TEST((rows == std::vector<std::uint32_t>{5, 6, 24}));
}

BOOST_AUTO_TEST_CASE(every_stored_sample_has_its_row) {
  std::mt19937_64 random(51);
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t n = 100 + random() % 900;
    std::vector<Range> ranges;
    for (int r = 0; r < 3; ++r) ranges.push_back({random() % n, n - random() % 50, 1 + random() % 4});
    const auto stored = Selection::of(ranges);
    const auto slabs = divide(n, stored, 1 + random() % 20, std::vector<double>(1 + random() % 9, 1.0));
    const Placement placement(slabs, stored);
    bool good = true;
    for (std::uint32_t s = 0; s < placement.stagers(); ++s) {
      std::uint64_t row = 0;
      for (auto sample = slabs[s].first; sample < slabs[s].last; ++sample)
        if (stored.contains({sample})) good = good && placement.row(s, sample) == row++;
      good = good && row == placement.rows(s);
    }
    BOOST_TEST(good);
  }
}

BOOST_AUTO_TEST_CASE(more_rows_than_a_stager_can_number) {
  const std::uint64_t n = (1ull << 32) + 1;
  BOOST_CHECK_EXCEPTION(Placement({{0, n}}, Selection::all(n)), headrace::Error,
                        [](const auto& e) { return std::string(e.what()).find("more stagers") != std::string::npos; });
}

BOOST_AUTO_TEST_SUITE_END()
