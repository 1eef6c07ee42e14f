// In which order rows come to memory while trainers are served, and what epoch 0 has of it.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "service/blueprint/fingerprint.hpp"
#include "service/blueprint/world.hpp"

using namespace service_test;

BOOST_AUTO_TEST_SUITE(arrival)

using Numbers = std::vector<std::uint64_t>;

BOOST_AUTO_TEST_CASE(only_epoch_0_is_in_windows_where_it_starts_early) {
  StreamFacts facts{.name = "train", .samples = 60};
  const Numbers first{0, 10, 20, 30, 40, 50, 60};
  const auto whole = facts.epoch_order(1, 1);
  facts.shuffle_in(std::make_shared<const plan::Windows>(plan::Windows::alike(first, 3, early_key(1))));
  facts.windows_at_start = true;
  BOOST_TEST(facts.epoch_order(1, 0)->windowed() != nullptr);
  const auto next = facts.epoch_order(1, 1);
  BOOST_TEST(next->windowed() == nullptr);
  Numbers found(60), wanted(60);
  next->evaluate(0, found);
  whole->evaluate(0, wanted);
  BOOST_TEST(found == wanted);
  BOOST_TEST(text_of_windows({}, facts) == "");
  BOOST_TEST(text_of_start({}, facts) == "early, 3 of 2 blocks of 16777216 bytes");
}

BOOST_AUTO_TEST_CASE(what_arrives_lies_where_it_belongs) {
  // Two stagers; of block 2 nobody wants anything, of the others every second sample.
  auto drawn = blueprint(120, {StreamConfig{.name = "train", .select = "0:20:2,30::2", .batch = 5}}, {1, 1}, 10);
  for (std::uint64_t sample = 0; sample <= 120; sample += 10) drawn.blocks.first_sample.push_back(sample);
  const auto& stored = *drawn.placement.stored().selection();
  Numbers first;
  for (const auto sample : drawn.blocks.first_sample) first.push_back(stored.lower_bound({sample}).value);
  const Arrival arrival(first, 7);
  BOOST_TEST_REQUIRE(arrival.windows() == early_windows);
  std::vector<std::vector<bool>> there{std::vector<bool>(drawn.placement.rows(0)),
                                       std::vector<bool>(drawn.placement.rows(1))};
  for (std::uint64_t window = 0; window < arrival.windows(); ++window) {
    std::uint64_t samples = 0;
    for (std::uint32_t stager = 0; stager < 2; ++stager)
      for (const auto& block : arrival.blocks_of(window, stager, drawn.blocks, drawn.placement)) {
        BOOST_TEST((block.stager == stager && block.block != 2 && block.rows == 5));
        samples += block.rows;
        for (std::uint64_t i = 0; i < block.rows; ++i) {
          const auto sample = stored.sample({block.first_ordinal + i}).value;
          BOOST_TEST(sample / 10 == block.block);
          BOOST_TEST(drawn.placement.row(stager, sample) == block.row + i);
          BOOST_TEST(!there[stager][block.row + i]);
          there[stager][block.row + i] = true;
        }
      }
    BOOST_TEST(samples == arrival.samples(window));
  }
  for (const auto& rows : there) BOOST_TEST(std::ranges::all_of(rows, [](bool one) { return one; }));
}

BOOST_AUTO_TEST_SUITE_END()
