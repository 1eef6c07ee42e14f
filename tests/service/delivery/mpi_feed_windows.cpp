// A feed of a stream that is read window by window, without a trainer: what it says of batches that cannot be.
#include <boost/test/unit_test.hpp>
#include <memory>
#include <set>

#include "service/delivery/trainer.hpp"

using namespace service_test;

BOOST_AUTO_TEST_SUITE(feeding)  // as in mpi_feed.cpp: one suite in two files
BOOST_AUTO_TEST_SUITE(alone, *boost::unit_test::precondition(few_ranks))

// A batch of three windows, of which two are in memory at a time, never comes: all processes of the trainer hear it.
BOOST_AUTO_TEST_CASE(a_batch_of_three_windows_is_told_to_every_replica) {
  constexpr std::uint32_t batch = 25, slots = 4, replicas = 3;
  Stager stager(mpi::Comm::self(), false, 120, {stream("train", "", batch, plan::Shuffle::global, plan::Last::drop)});
  auto& drawn = stager.drawn;
  for (std::uint64_t first = 0; first <= 120; first += 10) drawn.blocks.first_sample.push_back(first);
  drawn.streams[0].shuffle_in(std::make_shared<const plan::Windows>(drawn.blocks.first_sample, 1));
  auto& cells = drawn.cells.emplace_back().emplace();
  cells.pane_rows = pane_rows(*drawn.streams[0].windows, drawn.blocks, drawn.placement.slabs());
  cells.first_row = {0};
  const Windowing windowing(drawn, Trainer::seed);
  Panes panes(windowing, 1);
  stager.supply->connect(panes);
  Workers workers(1);
  ring::Producer ring("test-feed", drawn.schema, ring::Producer::ring_bytes(drawn.schema, batch, slots), 1, replicas);
  ring.configure(batch, 1, slots);
  std::multiset<std::uint32_t> told;
  const auto schedule = drawn.streams[0].schedule(1);
  const auto feed = std::make_shared<Feed>(
      *stager.supply, workers, ring, Feed::Recipient{.stream_name = "train", .seed = Trainer::seed}, schedule,
      Ledger(schedule.steps(), 1),
      Feed::Events{.epoch_done = [](const EpochReport&) {},
                   .violation =
                       [&](std::uint32_t replica, const std::string& what) {
                         told.insert(replica);
                         BOOST_TEST(what.find("more than two windows") != std::string::npos);
                       },
                   .moved = [](const std::optional<plan::EpochWindow>&) {}});
  for (std::uint32_t replica = 0; replica < replicas; ++replica) feed->join(replica);
  feed->begin();
  feed->pump();
  feed->pump();
  BOOST_TEST((told == std::multiset<std::uint32_t>{0, 1, 2}));  // once each
  bool idle = false;
  feed->close([&] { idle = true; });
  BOOST_TEST(idle);
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE_END()
