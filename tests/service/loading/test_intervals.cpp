// Which samples a stager reads, of those that are stored.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "service/blueprint/world.hpp"
#include "service/loading/store_sink.hpp"

using namespace service_test;
using namespace headrace::service::loading;

BOOST_AUTO_TEST_SUITE(intervals)

BOOST_AUTO_TEST_CASE(intervals_cover_what_is_stored_and_stay_in_the_slab) {
  std::mt19937_64 random(10);
  for (int round = 0; round < 300; ++round) {
    const auto samples = 1 + random() % 500;
    const std::vector<double> some(1 + random() % 6, 1.0);
    const auto drawn =
        blueprint(samples,
                  {stream("a", random_select(random, samples), 1, plan::Shuffle::global, plan::Last::pad),
                   stream("b", random_select(random, samples), 1, plan::Shuffle::none, plan::Last::partial)},
                  some, 1 + random() % 30);
    std::vector<int> read(samples);
    for (std::uint32_t stager = 0; stager < some.size(); ++stager) {
      const auto& slab = drawn.placement.slab(stager);
      std::uint64_t end = slab.first;
      bool first = true;
      for (const auto& run : intervals_to_read(drawn.placement.stored(), stager, drawn.placement.slab(stager))) {
        BOOST_TEST((run.first < run.last && run.last <= slab.last));
        BOOST_TEST((first ? run.first >= end : run.first > end));  // apart: else they were one
        first = false;
        end = run.last;
        for (auto sample = run.first; sample < run.last; ++sample) ++read[sample];
      }
    }
    for (std::uint64_t sample = 0; sample < samples; ++sample) {
      BOOST_TEST(read[sample] <= 1);
      if (drawn.placement.stored().selection()->contains({sample})) BOOST_TEST(read[sample] == 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(plain_ranges_read_nothing_else) {
  const auto drawn = blueprint(100,
                               {stream("a", "10:20", 1, plan::Shuffle::none, plan::Last::pad),
                                stream("b", "15:30,70:80", 1, plan::Shuffle::none, plan::Last::pad)},
                               {1});
  const auto runs = intervals_to_read(drawn.placement.stored(), 0, drawn.placement.slab(0));
  BOOST_TEST(runs.size() == 2u);
  BOOST_TEST((runs[0].first == 10 && runs[0].last == 30 && runs[1].first == 70 && runs[1].last == 80));
}

BOOST_AUTO_TEST_SUITE_END()
