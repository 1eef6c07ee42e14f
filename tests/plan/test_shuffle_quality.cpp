// Against simulated epochs: batches of the order itself, counted.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

#include "plan/shuffle_quality.hpp"
#include "plan/windows.hpp"

using namespace headrace::plan;

BOOST_AUTO_TEST_SUITE(shuffle_quality)

namespace {

constexpr std::uint64_t block_rows = 100, blocks = 960, batch = 512;

std::shared_ptr<const Windows> windows_of(std::uint64_t blocks_a_window) {
  std::vector<std::uint64_t> first;
  for (std::uint64_t b = 0; b <= blocks; ++b) first.push_back(b * block_rows);
  return std::make_shared<const Windows>(first, blocks_a_window);
}

WindowFacts facts_of(const Windows& windows) {
  return {.samples = windows.size(),
          .block_rows = block_rows,
          .windows = windows.count(),
          .blocks = windows.blocks_a_window(),
          .batch = batch};
}

/// f(ordinals of a batch) for the batches of some epochs that lie within one window.
template <class F>
void for_each_batch(const std::shared_ptr<const Windows>& windows, int epochs, const F& f) {
  std::vector<std::uint64_t> ordinals(batch);
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const WindowedOrder order(windows, epoch_key(5, "train", static_cast<std::uint64_t>(epoch)));
    for (std::uint64_t w = 0; w < windows->count(); ++w)
      for (auto first = order.starts()[w]; first + batch <= order.starts()[w + 1]; first += batch) {
        order.evaluate(first, ordinals);
        f(ordinals);
      }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(neighbours_meet_as_often_as_is_said) {
  const auto windows = windows_of(120);
  double pairs = 0, batches = 0;
  for_each_batch(windows, 10, [&](const auto& ordinals) {
    std::vector<double> counts(blocks);
    for (const auto ordinal : ordinals) ++counts[ordinal / block_rows];
    for (const auto count : counts) pairs += count * (count - 1) / 2;
    ++batches;
  });
  const double global = batch * (batch - 1.0) / 2 * (block_rows - 1.0) / (windows->size() - 1.0);
  BOOST_TEST(pairs / batches / global == neighbours_ratio(facts_of(*windows)), boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_CASE(the_distance_is_that_of_the_counts) {
  const auto windows = windows_of(120);
  std::vector<double> seen(batch + 1);
  double all = 0;
  for_each_batch(windows, 10, [&](const auto& ordinals) {
    std::vector<std::size_t> counts(blocks);
    for (const auto ordinal : ordinals) ++counts[ordinal / block_rows];
    for (const auto count : counts) ++seen[count];
    all += blocks;
  });
  std::mt19937_64 random(1);
  std::vector<double> global(batch + 1);
  double draws = 0;
  std::vector<std::uint64_t> some(batch);
  for (std::uint64_t epoch = 0; epoch < 10; ++epoch)
    for (std::uint64_t first = 0; first + batch <= windows->size(); first += batch, draws += blocks) {
      Permutation(windows->size(), epoch_key(6, "", epoch)).evaluate(first, some);
      std::vector<std::size_t> counts(blocks);
      for (const auto ordinal : some) ++counts[ordinal / block_rows];
      for (const auto count : counts) ++global[count];
    }
  double distance = 0;
  for (std::size_t k = 0; k < seen.size(); ++k) distance += std::abs(seen[k] / all - global[k] / draws) / 2;
  BOOST_TEST(distance == total_variation(facts_of(*windows)), boost::test_tools::tolerance(0.02));
  BOOST_TEST(total_variation(facts_of(*windows)) == 0.375, boost::test_tools::tolerance(0.01));
  BOOST_TEST(total_variation(facts_of(*windows_of(blocks))) == 0);
}

BOOST_AUTO_TEST_CASE(classes_of_a_sorted_file_are_mixed) {
  // Seven classes, whose borders lie anywhere within blocks.
  const auto windows = windows_of(120);
  const auto facts = facts_of(*windows);
  constexpr double classes = 7;
  const auto class_of = [&](std::uint64_t ordinal) { return ordinal * 7 / windows->size(); };
  double sum = 0, batches = 0;
  for_each_batch(windows, 60, [&](const auto& ordinals) {
    double count = 0;
    for (const auto ordinal : ordinals) count += class_of(ordinal) == 3;
    sum += (count - batch / classes) * (count - batch / classes);
    ++batches;
  });
  const double share = 1 / classes, n = static_cast<double>(windows->size());
  const double global = batch * share * (1 - share) * (n - batch) / (n - 1);
  const double effect = sum / batches / global;
  BOOST_TEST(effect <= design_effect_if_sorted(facts, share) * 1.1);
  BOOST_TEST(effect < 1.15);
  // What the data say.
  std::vector<double> means;
  std::vector<std::uint64_t> rows(blocks, block_rows);
  for (std::uint64_t b = 0; b < blocks; ++b) {
    double in_class = 0;
    for (std::uint64_t i = 0; i < block_rows; ++i) in_class += class_of(b * block_rows + i) == 3;
    means.push_back(in_class / block_rows);
  }
  const BlockMeans field{means, rows, share * (1 - share)};
  BOOST_TEST(between_blocks(field) > 0.98);
  const auto left = within_runs(field, windows->count(), windows->blocks_a_window());
  BOOST_TEST(left < 0.02);
  BOOST_TEST(design_effect(facts, left) < 1.1);
  BOOST_TEST(design_effect(facts, left) >= 1);
}

BOOST_AUTO_TEST_CASE(one_window_is_a_global_shuffle) {
  const auto facts = facts_of(*windows_of(blocks));
  BOOST_TEST(neighbours_ratio(facts) == 1);
  BOOST_TEST(design_effect(facts, 0.5) == 1);
  BOOST_TEST(design_effect_if_sorted(facts, 0.1) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
