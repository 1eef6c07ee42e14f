// Against simulated epochs: batches of the order itself, counted.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>

#include "plan/figures/shuffle_quality.hpp"
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

constexpr int epochs = 200;

/// f(ordinals of a batch) for the batches of an epoch that lie within one window.
template <class F>
void for_each_batch(const std::shared_ptr<const Windows>& windows, int epoch, const F& f) {
  std::vector<std::uint64_t> ordinals(batch);
  const WindowedOrder order(windows, epoch_key(5, "train", static_cast<std::uint64_t>(epoch)));
  for (std::uint64_t w = 0; w < windows->count(); ++w)
    for (auto first = order.starts()[w]; first + batch <= order.starts()[w + 1]; first += batch) {
      order.evaluate(first, ordinals);
      f(ordinals);
    }
}

std::vector<std::size_t> counts_of_blocks(const std::vector<std::uint64_t>& ordinals) {
  std::vector<std::size_t> counts(blocks);
  for (const auto ordinal : ordinals) ++counts[ordinal / block_rows];
  return counts;
}

/// What epochs say of a figure, and how sure that is.
struct Measured {
  std::vector<double> of_epochs{};
  double mean() const { return std::accumulate(of_epochs.begin(), of_epochs.end(), 0.0) / count(); }
  double count() const { return static_cast<double>(of_epochs.size()); }
  double error() const {
    double sum = 0;
    for (const auto value : of_epochs) sum += (value - mean()) * (value - mean());
    return std::sqrt(sum / (count() - 1) / count());
  }
};

void check_within_three_sigma(const Measured& measured, double said) {
  BOOST_TEST(std::abs(measured.mean() - said) <= 3 * measured.error(),
             "said " << said << ", measured " << measured.mean() << " +- " << measured.error());
  BOOST_TEST(measured.error() < 0.02 * said);  // it does tell
}

}  // namespace

BOOST_AUTO_TEST_CASE(neighbours_meet_as_often_as_is_said) {
  const auto windows = windows_of(120);
  const double global = batch * (batch - 1.0) / 2 * (block_rows - 1.0) / (static_cast<double>(windows->size()) - 1);
  Measured ratio;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    double pairs = 0, batches = 0;
    for_each_batch(windows, epoch, [&](const auto& ordinals) {
      for (const auto count : counts_of_blocks(ordinals))
        pairs += static_cast<double>(count) * (static_cast<double>(count) - 1) / 2;
      ++batches;
    });
    ratio.of_epochs.push_back(pairs / batches / global);
  }
  check_within_three_sigma(ratio, neighbours_ratio(facts_of(*windows)));
}

BOOST_AUTO_TEST_CASE(the_distance_is_that_of_the_counts) {
  const auto windows = windows_of(120);
  constexpr std::size_t most = 40;        // rows of one block in a batch
  std::vector<double> differences(most);  // of how often there are k, window less global, over all epochs
  std::vector<std::vector<double>> of_epochs;
  std::vector<std::uint64_t> some(batch);
  for (int epoch = 0; epoch < epochs; ++epoch) {
    std::vector<double> windowed(most), global(most);
    double batches = 0, draws = 0;
    for_each_batch(windows, epoch, [&](const auto& ordinals) {
      for (const auto count : counts_of_blocks(ordinals)) ++windowed[std::min(count, most - 1)];
      ++batches;
    });
    const Permutation order(windows->size(), epoch_key(6, "", static_cast<std::uint64_t>(epoch)));
    for (std::uint64_t first = 0; first + batch <= windows->size(); first += batch, ++draws) {
      order.evaluate(first, some);
      for (const auto count : counts_of_blocks(some)) ++global[std::min(count, most - 1)];
    }
    auto& mine = of_epochs.emplace_back(most);
    for (std::size_t k = 0; k < most; ++k) {
      mine[k] = (windowed[k] / batches - global[k] / draws) / blocks;
      differences[k] += mine[k];
    }
  }
  Measured distance;
  for (const auto& mine : of_epochs) {
    double sum = 0;
    for (std::size_t k = 0; k < most; ++k) sum += (differences[k] > 0 ? mine[k] : -mine[k]) / 2;
    distance.of_epochs.push_back(sum);
  }
  check_within_three_sigma(distance, total_variation(facts_of(*windows)));
  BOOST_TEST(total_variation(facts_of(*windows_of(blocks))) == 0);
}

namespace {

/// Classes of a sorted file, whose borders lie anywhere within blocks unless they are as many as divide the blocks.
struct Sorted {
  std::uint64_t classes = 7, samples = blocks * block_rows, which = 3;
  bool has(std::uint64_t ordinal) const { return ordinal * classes / samples == which; }
  double share() const { return 1 / static_cast<double>(classes); }

  double within(const Windows& windows, double* between = nullptr) const {
    std::vector<double> means;
    const std::vector<std::uint64_t> rows(blocks, block_rows);
    double all = 0;
    for (std::uint64_t b = 0; b < blocks; ++b) {
      double in_class = 0;
      for (std::uint64_t i = 0; i < block_rows; ++i) in_class += has(b * block_rows + i);
      means.push_back(in_class / block_rows);
      all += in_class;
    }
    const double p = all / static_cast<double>(samples);
    const BlockMeans field{means, rows, p * (1 - p)};
    if (between) *between = between_blocks(field);
    return within_runs(field, windows);
  }
};

Measured measured_effect(const std::shared_ptr<const Windows>& windows, const Sorted& sorted) {
  const double n = static_cast<double>(windows->size());
  double all = 0;
  for (std::uint64_t ordinal = 0; ordinal < windows->size(); ++ordinal) all += sorted.has(ordinal);
  const double p = all / n, global = batch * p * (1 - p) * (n - batch) / (n - 1);
  Measured effect;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    double sum = 0, batches = 0;
    for_each_batch(windows, epoch, [&](const auto& ordinals) {
      double count = 0;
      for (const auto ordinal : ordinals) count += sorted.has(ordinal);
      sum += (count - batch * p) * (count - batch * p);
      ++batches;
    });
    effect.of_epochs.push_back(sum / batches / global);
  }
  return effect;
}

}  // namespace

BOOST_AUTO_TEST_CASE(classes_of_a_sorted_file_are_mixed) {
  for (const std::uint64_t classes : {7, 10, 2}) {
    const auto windows = windows_of(120);
    const Sorted sorted{.classes = classes, .which = classes / 2};
    double between = 0;
    const auto left = sorted.within(*windows, &between);
    const auto effect = measured_effect(windows, sorted);
    check_within_three_sigma(effect, design_effect(facts_of(*windows), left));
    BOOST_TEST(effect.mean() < 1.1);
    BOOST_TEST(effect.mean() <= design_effect_if_sorted(facts_of(*windows), sorted.share()) + 3 * effect.error());
    BOOST_TEST(between > 0.98);
    BOOST_TEST(left < 0.035);
  }
}

BOOST_AUTO_TEST_CASE(few_blocks_a_window_are_told) {
  // Twelve blocks a window: whole runs lie in one class or the other.
  const auto windows = windows_of(12);
  const Sorted sorted;
  const auto effect = measured_effect(windows, sorted);
  const auto said = design_effect(facts_of(*windows), sorted.within(*windows));
  check_within_three_sigma(effect, said);
  BOOST_TEST(said > 1.5);
  BOOST_TEST(effect.mean() <= design_effect_if_sorted(facts_of(*windows), sorted.share()));
}

BOOST_AUTO_TEST_CASE(one_window_is_a_global_shuffle) {
  const auto facts = facts_of(*windows_of(blocks));
  BOOST_TEST(neighbours_ratio(facts) == 1);
  BOOST_TEST(design_effect(facts, 0.5) == 1);
  BOOST_TEST(design_effect_if_sorted(facts, 0.1) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
