#include "plan/figures/shuffle_quality.hpp"

#include <algorithm>
#include <cmath>

#include "base/contract.hpp"

namespace headrace::plan {

namespace {

double log_choose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

/// k of `draws` out of `all` are among the `marked` ones.
double hypergeometric(double k, double all, double marked, double draws) {
  if (k > marked || k > draws || draws - k > all - marked) return 0;
  return std::exp(log_choose(marked, k) + log_choose(all - marked, draws - k) - log_choose(all, draws));
}

double square(double x) {
  return x * x;
}

/// How much less a sum of draws without replacement varies than one with: its inverse.
double without_replacement(double all, double draws) {
  return all > draws ? (all - 1) / (all - draws) : 1;
}

/// A batch takes a larger part of its window than it would of all samples, so that its mean is nearer to the window's.
double shrink(const WindowFacts& facts) {
  const auto n = facts.window_samples(), draws = static_cast<double>(facts.batch);
  const auto all = static_cast<double>(facts.samples);
  return n > draws ? without_replacement(all, draws) / without_replacement(n, draws) : 0;
}

}  // namespace

double neighbours_ratio(const WindowFacts& facts) {
  const auto n = facts.window_samples();
  return n > 1 ? (static_cast<double>(facts.samples) - 1) / (n - 1) : 1;
}

double total_variation(const WindowFacts& facts) {
  if (facts.windows == 1) return 0;
  const auto all = static_cast<double>(facts.samples), n = facts.window_samples();
  const auto rows = std::min(facts.block_rows, n), draws = std::min(static_cast<double>(facts.batch), n);
  const double mine = 1 / static_cast<double>(facts.windows);  // that the batch's window has the block
  double distance = 0;
  for (double k = 0; k <= std::min(rows, draws); ++k) {
    const auto in_window = mine * hypergeometric(k, n, rows, draws) + (k == 0 ? 1 - mine : 0);
    distance += std::abs(hypergeometric(k, all, rows, draws) - in_window);
  }
  return distance / 2;
}

double design_effect_if_sorted(const WindowFacts& facts, double share) {
  EXPECTS(share > 0 && share < 1);
  if (facts.windows == 1) return 1;
  const auto together = std::min(static_cast<double>(facts.batch), facts.window_samples());
  return shrink(facts) + together * 0.5 / (share * (1 - share) * square(static_cast<double>(facts.blocks)));
}

double between_blocks(const BlockMeans& field) {
  EXPECTS(field.means.size() == field.rows.size());
  double sum = 0, count = 0, between = 0;
  for (std::size_t i = 0; i < field.means.size(); ++i) {
    sum += field.means[i] * static_cast<double>(field.rows[i]);
    count += static_cast<double>(field.rows[i]);
  }
  if (count == 0 || field.variance <= 0) return 0;
  for (std::size_t i = 0; i < field.means.size(); ++i)
    between += static_cast<double>(field.rows[i]) * square(field.means[i] - sum / count);
  return between / count / field.variance;
}

double within_runs(const BlockMeans& field, const Windows& windows) {
  const auto blocks = field.means.size();
  EXPECTS(blocks == field.rows.size() && blocks == windows.filled().size());
  double count = 0, within = 0;
  for (std::size_t begin = 0; begin < blocks;) {
    const auto run = [&](std::size_t k) { return windows.slot_of(k) / windows.count(); };
    auto end = begin + 1;
    while (end < blocks && run(end) == run(begin)) ++end;
    double sum = 0, rows = 0;
    for (auto i = begin; i < end; ++i) {
      sum += field.means[i] * static_cast<double>(field.rows[i]);
      rows += static_cast<double>(field.rows[i]);
    }
    for (auto i = begin; i < end && rows > 0; ++i)
      within += static_cast<double>(field.rows[i]) * square(field.means[i] - sum / rows);
    count += rows;
    begin = end;
  }
  return count > 0 && field.variance > 0 ? within / count / field.variance : 0;
}

double design_effect(const WindowFacts& facts, double within) {
  if (facts.windows == 1) return 1;
  // A window's mean varies by this much, in units of the variance of one sample: one block of each of W runs.
  const auto of_window = within / static_cast<double>(facts.blocks);
  const auto draws = static_cast<double>(facts.batch);
  const auto together = std::min(draws, facts.window_samples());
  return shrink(facts) * (1 - of_window) +
         together * of_window * without_replacement(static_cast<double>(facts.samples), draws);
}

}  // namespace headrace::plan
