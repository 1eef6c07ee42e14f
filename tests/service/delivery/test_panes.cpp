// The gate between batches and what may be written over, and where rows lie.
#include <boost/test/unit_test.hpp>
#include <numeric>

#include "base/error.hpp"
#include "service/blueprint/world.hpp"
#include "service/delivery/panes.hpp"

using namespace service_test;
using namespace headrace::service::delivery;
using plan::EpochWindow;

BOOST_AUTO_TEST_SUITE(panes)

namespace {

/// A stream of 120 samples in blocks of 10, three of them a window, over two stagers.
Blueprint windowed(std::uint64_t samples = 120, std::uint64_t block = 10, std::uint64_t blocks_a_window = 3,
                   std::string select = "") {
  auto drawn = blueprint(samples, {stream("train", select, 5, plan::Shuffle::global, plan::Last::drop)}, {1, 1}, block);
  for (std::uint64_t first = 0; first < samples; first += block) drawn.blocks.first_sample.push_back(first);
  drawn.blocks.first_sample.push_back(samples);
  std::vector<std::uint64_t> first;
  for (const auto sample : drawn.blocks.first_sample)
    first.push_back(drawn.strata[0].sets()[0].selection()->lower_bound({sample}).value);
  drawn.streams[0].shuffle_in(std::make_shared<const plan::Windows>(first, blocks_a_window));
  auto& cells = drawn.cells.emplace_back().emplace();
  cells.pane_rows = pane_rows(*drawn.streams[0].windows, drawn.blocks, drawn.placement.slabs());
  cells.first_row = {100, 7};
  return drawn;
}

}  // namespace

BOOST_AUTO_TEST_CASE(batches_pass_while_their_windows_are_open) {
  const auto drawn = windowed();
  const Windowing windowing(drawn, 1);
  Panes panes(windowing, 1);
  const Panes::Span one{{0, 0}, {0, 0}}, both{{0, 0}, {0, 1}}, more{{0, 0}, {0, 2}};
  int ready = 0, left = 0;
  const auto wake = [&] { ++ready; };
  BOOST_TEST((panes.enter(0, one, &ready, wake) == Panes::Gate::closed));
  BOOST_TEST((panes.enter(0, more, &ready, wake) == Panes::Gate::never));
  panes.open(0, {0, 0});  // nobody wants it
  BOOST_TEST(ready == 0);
  panes.turn(0, {0, 0}, EpochWindow{0, 1}, [&] { ++left; });
  BOOST_TEST(left == 1);
  panes.open(0, {0, 0});
  panes.open(0, {0, 0});
  BOOST_TEST(ready == 1);
  BOOST_TEST((panes.enter(0, one, &ready, wake) == Panes::Gate::open));
  BOOST_TEST((panes.enter(0, both, &ready, wake) == Panes::Gate::closed));
  panes.open(0, {0, 1});
  BOOST_TEST(ready == 2);
  BOOST_TEST((panes.enter(0, both, &ready, wake) == Panes::Gate::open));

  // The next turn: what is of a window that nobody wants any more goes on, and the answer waits for it.
  panes.turn(0, {0, 1}, EpochWindow{0, 2}, [&] { ++left; });
  BOOST_TEST(left == 1);
  BOOST_TEST((panes.enter(0, one, &ready, wake) == Panes::Gate::closed));
  panes.leave(0, one);
  BOOST_TEST(left == 1);
  panes.leave(0, both);
  BOOST_TEST(left == 2);
  BOOST_TEST((panes.enter(0, {{0, 1}, {0, 1}}, &ready, wake) == Panes::Gate::open));  // it stayed open
  panes.leave(0, {{0, 1}, {0, 1}});
  BOOST_TEST(left == 2);
}

BOOST_AUTO_TEST_CASE(rows_lie_where_the_window_says) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 50; ++round) {
    const auto samples = 60 + random() % 200, block = 1 + random() % 20, blocks = (samples + block - 1) / block;
    const auto drawn = windowed(samples, block, 1 + random() % blocks, random_select(random, samples));
    const auto& windows = *drawn.streams[0].windows;
    const Windowing windowing(drawn, 1 + round);
    Panes panes(windowing, 1);
    const auto epoch = random() % 3;
    const auto at = *windowing.first(0, epoch, 1);
    const auto next = windowing.next(0, at);
    const auto pane = static_cast<std::uint32_t>(random() % 2);
    panes.lay(0, at, next, pane);
    // Every row of the two windows has a place of its own, in the pane of its window and stager.
    std::set<std::pair<std::uint32_t, std::uint32_t>> taken;
    const plan::WindowedOrder order(drawn.streams[0].windows, plan::epoch_key(1 + round, "train", epoch));
    std::vector<std::uint64_t> ordinals;
    const auto end = next && next->epoch == epoch ? order.starts()[next->window + 1] : order.starts()[at.window + 1];
    ordinals.resize(end);
    order.evaluate(0, ordinals);
    std::ranges::sort(ordinals);
    for (std::uint32_t stager = 0; stager < 2; ++stager) {
      const auto& first = drawn.strata[0].first_ordinals();
      std::vector<std::uint64_t> mine;
      for (const auto ordinal : ordinals)
        if (ordinal >= first[stager] && ordinal < first[stager + 1]) mine.push_back(ordinal);
      std::vector<std::uint32_t> rows(mine.size());
      panes.locate(0, epoch, mine, rows);
      const auto& cells = *drawn.cells[0];
      for (std::size_t i = 0; i < rows.size(); ++i) {
        BOOST_TEST(taken.emplace(stager, rows[i]).second);
        std::vector<std::uint64_t> position{order.position(mine[i])};
        const auto window = order.window_of(position[0]);
        const auto which = window == at.window ? pane : 1 - pane;
        const auto begin = cells.first_row[stager] + which * cells.pane_rows[stager];
        BOOST_TEST((rows[i] >= begin && rows[i] < begin + cells.pane_rows[stager]));
      }
    }
    BOOST_TEST(taken.size() == ordinals.size());
    if (end < windows.size()) {
      std::vector<std::uint64_t> elsewhere(1);
      order.evaluate(end, elsewhere);
      std::vector<std::uint32_t> row(1);
      BOOST_CHECK_THROW(panes.locate(0, epoch, elsewhere, row), Error);
    }
    std::vector<std::uint64_t> any{0};
    std::vector<std::uint32_t> row(1);
    BOOST_CHECK_THROW(panes.locate(0, epoch + 5, any, row), Error);
  }
}

BOOST_AUTO_TEST_SUITE_END()
