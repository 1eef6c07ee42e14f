// Parts of a slab that pass through memory one after another.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "service/blueprint/world.hpp"
#include "service/loading/pane.hpp"

using namespace service_test;
using namespace headrace::service::loading;

BOOST_AUTO_TEST_SUITE(panes)

namespace {

/// All samples are of one file, in chunks of so many rows.
Blueprint in_a_file(Blueprint drawn, std::uint64_t chunk) {
  drawn.catalog.files.resize(1);
  drawn.catalog.files[0].samples = drawn.catalog.samples;
  for (auto& dataset : drawn.catalog.datasets) dataset.in_file.resize(1);
  drawn.catalog.datasets[0].in_file[0].path = "big";
  drawn.catalog.datasets[0].in_file[0].chunk = {chunk};
  return drawn;
}

}  // namespace

BOOST_AUTO_TEST_CASE(panes_tile_the_rows_of_a_slab) {
  std::mt19937_64 random(12);
  for (int round = 0; round < 300; ++round) {
    const auto samples = 1 + random() % 500;
    const std::vector<double> some(1 + random() % 4, 1.0);
    const auto drawn =
        in_a_file(blueprint(samples,
                            {stream("a", random_select(random, samples), 1, plan::Shuffle::global, plan::Last::pad),
                             stream("b", random_select(random, samples), 1, plan::Shuffle::none, plan::Last::partial)},
                            some, 1 + random() % 30),
                  1 + random() % 40);
    for (std::uint32_t stager = 0; stager < some.size(); ++stager) {
      const auto rows = drawn.placement.rows(stager);
      const auto& stored = *drawn.placement.stored().selection();
      const auto base = stored.lower_bound({drawn.placement.slab(stager).first});
      std::uint64_t last = drawn.placement.slab(stager).first;
      for (std::uint64_t first = 0; first < rows;) {
        const auto most = 1 + random() % 50;
        const auto count = rows_to_chunk_end(drawn, stager, first, most);
        BOOST_TEST((count >= 1 && count <= most && first + count <= rows));
        const auto pane = rows_of_slab(drawn, stager, first, count);
        BOOST_TEST((pane.first_row == first && pane.rows == count));
        // Its samples hold exactly its rows, and panes do not overlap.
        BOOST_TEST(pane.samples.first >= last);
        last = pane.samples.last;
        BOOST_TEST(last <= drawn.placement.slab(stager).last);
        BOOST_TEST(drawn.placement.row(stager, pane.samples.first) == first);
        BOOST_TEST(pane.samples.first <= stored.sample(base + first).value);
        BOOST_TEST(stored.sample(base + first + count - 1).value < last);
        if (first + count < rows) BOOST_TEST(stored.sample(base + first + count).value >= last);
        first += count;
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(panes_end_where_chunks_do) {
  const auto drawn =
      in_a_file(blueprint(1000, {stream("a", "5:900", 1, plan::Shuffle::global, plan::Last::pad)}, {1}), 64);
  // Row 0 is sample 5.
  BOOST_TEST(rows_to_chunk_end(drawn, 0, 0, 100) == 64 - 5u);
  BOOST_TEST(rows_to_chunk_end(drawn, 0, 59, 200) == 192u);
  BOOST_TEST(rows_to_chunk_end(drawn, 0, 59, 50) == 50u);   // less than a chunk
  BOOST_TEST(rows_to_chunk_end(drawn, 0, 59, 64) == 64u);   // exactly one
  BOOST_TEST(rows_to_chunk_end(drawn, 0, 800, 95) == 95u);  // all the rest
}

BOOST_AUTO_TEST_CASE(no_rows_are_no_samples) {
  const auto drawn = blueprint(100, {stream("a", "10:20", 1, plan::Shuffle::none, plan::Last::pad)}, {1, 1});
  const auto pane = rows_of_slab(drawn, 1, 0, 0);
  BOOST_TEST((pane.rows == 0 && pane.samples.first == pane.samples.last));
}

BOOST_AUTO_TEST_SUITE_END()
