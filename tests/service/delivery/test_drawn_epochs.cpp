#include "service/delivery/drawn_epochs.hpp"

#include <boost/test/unit_test.hpp>
#include <future>

#include "service/blueprint/world.hpp"

using namespace service_test;
using headrace::service::delivery::DrawnEpochs;

namespace {

/// 100 samples in one cell, of which an epoch brings 30; this node holds the first 60, another one the rest.
struct World {
  Blueprint drawn = blueprint(100, {stream("train", "", 5, plan::Shuffle::global, plan::Last::drop)}, {0.6, 0.4});
  std::shared_ptr<const plan::Draw> draw;
  std::shared_ptr<const plan::NodeDraw> other;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> wanted;
  DrawnEpochs epochs{drawn, 0};
  Workers workers{2};

  explicit World(plan::Draw::Redraw redraw = plan::Draw::Redraw::epoch) {
    draw = std::make_shared<const plan::Draw>(std::vector<plan::Draw::Cell>{{0, 100, 30}}, 5, redraw);
    drawn.streams[0].draw = draw;
    drawn.draws = {node(0, {0, 60}, 0)};
    other = node(1, {60, 100}, 60);
    epochs.connect(workers, [this](std::uint32_t stream, std::uint64_t epoch) { wanted.emplace_back(stream, epoch); });
  }

  std::shared_ptr<const plan::NodeDraw> node(std::uint32_t first, plan::Slab slab, std::uint64_t before) const {
    plan::DrawnSlab held{slab, std::vector<std::uint16_t>(slab.last - slab.first), {}};
    held.places = plan::places_of(*draw, held.cells, std::vector<std::uint64_t>{before});
    return std::make_shared<const plan::NodeDraw>(
        plan::NodeDraw{draw, first, {std::make_shared<const plan::DrawnSlab>(std::move(held))}});
  }
  std::vector<std::uint64_t> rows(std::uint64_t epoch) const {
    return {(*drawn.draws[0]->epoch(epoch))[0].size(), (*other->epoch(epoch))[0].size()};
  }
  /// What the epoch has, once all have said how much they hold.
  std::shared_ptr<const plan::Strata> settled(std::uint64_t epoch) {
    std::promise<void> ready;
    if (auto known = epochs.strata(0, epoch, [&] { ready.set_value(); })) return known;
    epochs.came(0, epoch, rows(epoch));
    ready.get_future().wait();
    return epochs.strata(0, epoch, [] {});
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(drawn_epochs)

BOOST_AUTO_TEST_CASE(an_epoch_is_asked_for_once_and_planned_when_all_have_answered) {
  World world;
  BOOST_TEST(!world.epochs.changes(0, 0));
  BOOST_TEST(world.epochs.changes(0, 1));
  std::promise<void> first, second;
  BOOST_TEST(!world.epochs.strata(0, 3, [&] { first.set_value(); }));
  BOOST_TEST(!world.epochs.strata(0, 3, [&] { second.set_value(); }));
  BOOST_TEST(world.wanted.size() == 1u);
  BOOST_TEST((world.wanted[0] == std::pair{0u, std::uint64_t{3}}));
  world.epochs.came(0, 3, world.rows(3));
  first.get_future().wait();
  second.get_future().wait();
  const auto strata = world.epochs.strata(0, 3, [] {});
  BOOST_REQUIRE(strata);
  BOOST_TEST(strata->size() == 30u);
  BOOST_TEST(strata->first_ordinals()[1] == world.epochs.rows(0, 3));
  // What this node holds of it is the same, counted by itself.
  const auto here = world.epochs.here(0, 3);
  BOOST_TEST(here->first_ordinals()[1] == world.epochs.rows(0, 3));
  BOOST_TEST(here->size() == world.epochs.rows(0, 3));
}

BOOST_AUTO_TEST_CASE(who_is_asked_draws_without_asking) {
  World world;
  for (std::uint64_t epoch = 1; epoch < 20; ++epoch)
    BOOST_TEST(world.epochs.rows(0, epoch) == (*world.drawn.draws[0]->epoch(epoch))[0].size());
  BOOST_TEST(world.wanted.empty());
  world.epochs.came(0, 99, world.rows(99));  // nobody here has asked
  BOOST_TEST(!world.epochs.strata(0, 99, [] {}));
}

BOOST_AUTO_TEST_CASE(a_few_epochs_are_kept_and_old_ones_come_again_when_asked) {
  World world;
  for (std::uint64_t epoch = 1; epoch <= DrawnEpochs::kept + 2; ++epoch)
    BOOST_TEST(world.settled(epoch)->size() == 30u);
  world.wanted.clear();
  BOOST_TEST(world.epochs.strata(0, DrawnEpochs::kept + 2, [] {}) != nullptr);
  BOOST_TEST(world.wanted.empty());
  BOOST_TEST(world.settled(1)->size() == 30u);
  BOOST_TEST(world.wanted.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_not_drawn_anew_never_changes) {
  World world(plan::Draw::Redraw::never);
  BOOST_TEST(!world.epochs.changes(0, 5));
}

BOOST_AUTO_TEST_SUITE_END()
