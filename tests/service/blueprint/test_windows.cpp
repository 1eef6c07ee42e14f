#include <boost/test/unit_test.hpp>

#include "base/error.hpp"
#include "service/blueprint/blocks.hpp"
#include "service/blueprint/fingerprint.hpp"
#include "service/blueprint/windows.hpp"

using namespace headrace;
using namespace headrace::service::blueprint;
using config::WindowConfig;
using Numbers = std::vector<std::uint64_t>;

namespace {

h5::DatasetInfo lies(std::uint64_t rows, std::uint64_t columns, std::uint64_t chunk = 0) {
  h5::DatasetInfo info;
  info.path = "x";
  info.dims = {rows, columns};
  info.type = {.kind = h5::Kind::integer, .size = 1, .standard = true};
  if (chunk > 0) info.chunk = {chunk, columns};
  return info;
}

/// Files that hold these datasets side by side.
catalog::Catalog catalog_of(std::vector<std::vector<h5::DatasetInfo>> files) {
  catalog::Catalog catalog;
  catalog.datasets.resize(files[0].size());
  for (const auto& file : files) {
    catalog.files.push_back({.path = "f", .first_sample = catalog.samples, .samples = file[0].rows()});
    catalog.samples += file[0].rows();
    for (std::size_t d = 0; d < file.size(); ++d) catalog.datasets[d].in_file.push_back(file[d]);
  }
  return catalog;
}

Numbers borders(std::vector<std::vector<h5::DatasetInfo>> files, std::uint64_t bytes) {
  return blocks_of(catalog_of(std::move(files)), bytes).first_sample;
}

StreamFacts stream(std::string name, plan::Shuffle shuffle = plan::Shuffle::global) {
  StreamFacts facts;
  facts.name = std::move(name);
  facts.shuffle = shuffle;
  return facts;
}

constexpr auto none = plan::Shuffle::none;
using Kind = WindowConfig::Kind;

/// Samples of 10 bytes in 100 blocks of 10.
Numbers shares(WindowConfig window, const std::vector<StreamFacts>& streams, const Numbers& samples,
               std::uint64_t room = 0) {
  return share_window(
             window, streams,
             {.samples = samples, .row_bytes = 10, .stored = 1000, .all_samples = 1000, .blocks = 100, .room = room})
      .bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(windows)

BOOST_AUTO_TEST_CASE(blocks_are_decoded_bytes_of_all_datasets) {
  BOOST_TEST(borders({{lies(100, 8), lies(100, 2)}}, 250) == (Numbers{0, 25, 50, 75, 100}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(chunks_of_what_carries_the_bytes_are_not_cut) {
  // A label in one chunk stands beside.
  BOOST_TEST(borders({{lies(100, 80, 16), lies(100, 1, 100)}}, 81 * 20) == (Numbers{0, 32, 64, 100}),
             boost::test_tools::per_element());
  // Chunks of 6 and 4 meet every 12 samples.
  for (const auto border : borders({{lies(1000, 10, 6), lies(1000, 10, 4)}}, 20 * 40))
    if (border < 1000) BOOST_TEST(border % 12 == 0u);
  // Those of 7 and 9 every 63, which is more than a block: then the larger ones count.
  for (const auto border : borders({{lies(1000, 10, 7), lies(1000, 10, 9)}}, 20 * 20))
    if (border < 1000) BOOST_TEST(border % 9 == 0u);
  // All in one chunk: the file is one block.
  BOOST_TEST(borders({{lies(100, 80, 100)}, {lies(50, 80, 500)}}, 400) == (Numbers{0, 100, 150}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(files_end_blocks) {
  BOOST_TEST(borders({{lies(30, 10)}, {lies(3, 10)}, {lies(4, 10)}, {lies(25, 10)}}, 100) ==
                 (Numbers{0, 10, 20, 30, 37, 49, 62}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(numbers_that_machines_agree_on) {
  for (const auto& [count, rounded] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{{1, 1},
                                                                                           {2, 2},
                                                                                           {3, 3},
                                                                                           {4, 4},
                                                                                           {5, 4},
                                                                                           {6, 6},
                                                                                           {7, 6},
                                                                                           {8, 8},
                                                                                           {11, 8},
                                                                                           {12, 12},
                                                                                           {15, 12},
                                                                                           {16, 16},
                                                                                           {191, 128},
                                                                                           {192, 192}})
    BOOST_TEST(rounded_down(count) == rounded);
}

BOOST_AUTO_TEST_CASE(streams_share_the_window_by_what_they_have) {
  const std::vector<StreamFacts> two{stream("a"), stream("b"), stream("c", none)};
  BOOST_TEST(shares({}, two, {600, 300, 100}) == (Numbers{0, 0, 0}), boost::test_tools::per_element());
  BOOST_TEST(shares({Kind::bytes, 3000}, two, {600, 300, 100}) == (Numbers{2000, 1000, 0}),
             boost::test_tools::per_element());
  // A number of blocks is each one's own.
  BOOST_TEST(shares({Kind::blocks, 20}, two, {600, 300, 100}) == (Numbers{2000, 2000, 0}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(small_streams_are_shuffled_as_a_whole) {
  const std::vector<StreamFacts> streams{stream("train"), stream("val"), stream("test")};
  // Together a quarter of a window at most.
  BOOST_TEST(shares({Kind::bytes, 4000}, streams, {900, 50, 50}) == (Numbers{4000, 0, 0}),
             boost::test_tools::per_element());
  BOOST_TEST(shares({Kind::bytes, 3000}, streams, {900, 50, 50}) == (Numbers{2842, 0, 157}),
             boost::test_tools::per_element());
  // And what its window has room for as a whole.
  BOOST_TEST(shares({Kind::bytes, 9000}, {stream("train")}, {900}) == (Numbers{0}), boost::test_tools::per_element());
  BOOST_TEST(shares({Kind::blocks, 90}, {stream("train")}, {900}) == (Numbers{0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(auto_takes_half_of_what_there_is) {
  const std::vector<StreamFacts> streams{stream("train"), stream("val")};
  BOOST_TEST(shares({Kind::automatic, 0}, streams, {900, 100}, 10000) == (Numbers{0, 0}),  // all fits
             boost::test_tools::per_element());
  BOOST_TEST(shares({Kind::automatic, 0}, streams, {900, 100}, 5000) == (Numbers{2000, 0}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(blocks_of_a_window) {
  BOOST_TEST(blocks_a_window({Kind::bytes, 1}, "train", 1000, 9000, 90, 4) == 8u);  // of ten
  BOOST_TEST(blocks_a_window({Kind::blocks, 77}, "train", 1000, 9000, 90, 4) == 77u);
  BOOST_TEST(blocks_a_window({Kind::automatic, 0}, "train", 3000, 9000, 90, 4) == 16u);  // of 30, 8 are left free
  BOOST_CHECK_EXCEPTION(blocks_a_window({Kind::bytes, 99}, "train", 99, 9000, 90, 4), Error, [](const Error& error) {
    BOOST_TEST(
        std::string(error.what()) ==
        "window = 99 B: 99 B of it are for stream 'train', whose blocks have 100 B each, which leaves no room for "
        "one; choose a larger window, or take smaller blocks (block)");
    return true;
  });
}

BOOST_AUTO_TEST_CASE(what_makes_blocks_large_is_named) {
  auto labels = lies(1000, 1, 1000);
  labels.path = "lab";
  BOOST_TEST(smaller_blocks(catalog_of({{lies(1000, 8, 10), labels}}), 900).starts_with("rechunk 'lab' (h5repack"));
  BOOST_TEST(smaller_blocks(catalog_of({{lies(1000, 8, 10), labels}}), 9000) == "take smaller blocks (block)");
  BOOST_TEST(smaller_blocks(catalog_of({{lies(1000, 8, 10)}}), 100) == "take smaller blocks (block)");
  // Of so few bytes that blocks do not mind its chunks.
  BOOST_TEST(smaller_blocks(catalog_of({{lies(1000, 64, 10), labels}}), 900) == "take smaller blocks (block)");
}

BOOST_AUTO_TEST_CASE(a_window_without_effect_is_told) {
  BOOST_TEST(no_effect({Kind::blocks, 64}, 1, true, "take smaller blocks (block)") ==
             "window = 64 has no effect, as all samples are one block; take smaller blocks (block)");
  BOOST_TEST(no_effect({Kind::blocks, 64}, 2, true, "").empty());
  BOOST_TEST(no_effect({Kind::automatic, 0}, 1, true, "").empty());
  BOOST_TEST(!no_effect({Kind::automatic, 0}, 1, false, "").empty());
  BOOST_TEST(no_effect({}, 1, false, "").empty());
}

BOOST_AUTO_TEST_CASE(what_does_not_go_with_windows_names_scratch) {
  const auto refused = [](const StreamFacts& facts, bool mixes, bool joins, config::Start start = {}) {
    config::StreamConfig stream{.name = "train"};
    stream.mix.kind = config::MixConfig::Kind::balanced;
    try {
      require_windows_possible(start, stream, facts, mixes, joins);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  BOOST_TEST(refused(stream("train"), false, false) == "");
  const auto mix = refused(stream("train"), true, false);
  BOOST_TEST(mix.starts_with("stream 'train': mix = balanced, within = batch does not go with window"));
  BOOST_TEST(mix.ends_with("scratch = \"DIR\""));
  BOOST_TEST(refused(stream("train"), false, true).starts_with("stream 'train': join does not go with window"));
  const auto early = refused(stream("train"), true, false, config::Start::early);
  BOOST_TEST(early.starts_with(
      "stream 'train': mix = balanced, within = batch does not go with start = early (which delivers"));
  BOOST_TEST(early.find("scratch = \"DIR\"") != std::string::npos);
  BOOST_TEST(early.find("leave start out") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(orders_are_made_once) {
  auto facts = stream("train");
  facts.samples = 60;
  BOOST_TEST(text_of_windows({}, facts) == "");
  facts.shuffle_in(std::make_shared<const plan::Windows>(Numbers{0, 10, 20, 30, 40, 50, 60}, 2));
  const auto first = facts.epoch_order(1, 0), again = facts.epoch_order(1, 0), next = facts.epoch_order(1, 1);
  BOOST_TEST(first->windowed() == again->windowed());
  BOOST_TEST(first->windowed() != next->windowed());
  BOOST_TEST(first->size() == 60u);
  BOOST_TEST(text_of_windows({}, facts) == "3 of 2 blocks of 16777216 bytes");
}

BOOST_AUTO_TEST_CASE(batches_of_three_windows_are_refused) {
  auto facts = stream("train");
  facts.samples = 1336;
  facts.global_batch = 256;
  facts.shuffle_in(std::make_shared<const plan::Windows>(Numbers{0, 333, 666, 1000, 1003, 1336}, 1));
  BOOST_CHECK_EXCEPTION(
      require_two_windows_hold(facts, 2, "choose a larger window or a smaller batch"), Error, [](const Error& error) {
        BOOST_TEST(std::string(error.what()) ==
                   "stream 'train': a global batch of 256 samples (2 trainers) is larger than a window may be (3 "
                   "samples; 267 on average), so that some would be of three windows, of which two are in memory at a "
                   "time; choose a larger window or a smaller batch");
        return true;
      });
  facts.global_batch = 4;
  require_two_windows_hold(facts, 2, "");
  // Two blocks each: the small one never is alone.
  facts.global_batch = 256;
  facts.shuffle_in(std::make_shared<const plan::Windows>(Numbers{0, 333, 666, 1000, 1003, 1336, 1669}, 2));
  require_two_windows_hold(facts, 2, "");
}

BOOST_AUTO_TEST_SUITE_END()
