// Streams that are read straight through: laps that fit their panes, for any number of trainers, or a word why not.
#include <boost/test/unit_test.hpp>

#include "base/error.hpp"
#include "service/blueprint/straight.hpp"

using namespace headrace;
using namespace headrace::service::blueprint;
using Numbers = std::vector<std::uint64_t>;

namespace {

/// 1000 samples in blocks of 10, half of them each stager's.
struct World {
  plan::Blocks blocks;
  Straight straight;

  explicit World(Numbers borders = by_tens())
      : blocks{borders}, straight("val", borders, blocks, std::vector<plan::Slab>{{0, 500}, {500, 1000}}) {}
  static Numbers by_tens() {
    Numbers borders(101);
    for (std::size_t b = 0; b < borders.size(); ++b) borders[b] = 10 * b;
    return borders;
  }
  static plan::Schedule schedule(std::uint32_t trainers, std::uint32_t batch = 5) {
    return {1000, batch, trainers, plan::Shuffle::none, plan::Last::partial};
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(straight)

BOOST_AUTO_TEST_CASE(panes_have_room_for_the_largest_lap) {
  const World world;
  // One trainer goes through the one stager's half, then the other's; two go through both at once.
  BOOST_TEST(world.straight.need(World::schedule(1), 13) == (Numbers{80, 80}), boost::test_tools::per_element());
  BOOST_TEST(world.straight.need(World::schedule(2), 13) == (Numbers{40, 40}), boost::test_tools::per_element());
  BOOST_TEST(world.straight.need(World::schedule(1, 90), 13).empty());  // batches of more than two laps
}

BOOST_AUTO_TEST_CASE(as_few_laps_as_fit_for_any_number_of_trainers) {
  World world;
  BOOST_TEST(!world.straight.by_laps());
  world.straight.take({80, 80});
  BOOST_TEST(world.straight.by_laps());
  BOOST_TEST(world.straight.laps(World::schedule(1))->count() == 13u);
  BOOST_TEST(world.straight.laps(World::schedule(2))->count() == 9u);
  BOOST_TEST(world.straight.laps(World::schedule(1)) == world.straight.laps(World::schedule(1)));  // made once
}

BOOST_AUTO_TEST_CASE(too_many_trainers_are_refused_by_name) {
  World world;
  world.straight.take({80, 80});
  BOOST_CHECK_EXCEPTION(world.straight.laps(World::schedule(100)), Error, [](const Error& error) {
    const std::string said = error.what();
    BOOST_TEST(
        said.starts_with("stream 'val' is not shuffled and does not fit memory; for 100 trainers with batches of 5"));
    BOOST_TEST(said.find("smaller blocks (block)") != std::string::npos);
    return true;
  });
}

BOOST_AUTO_TEST_SUITE_END()
