#include "data/selection/wanted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "base/error.hpp"
#include "config/resample_values.hpp"
#include "config/target_file.hpp"
#include "data/selection/apportion.hpp"
#include "plan/wide.hpp"

namespace headrace::data::selection {

namespace {

using Numbers = std::vector<std::uint64_t>;

constexpr double most_samples = 0x1p60;

/// The target: weights of the bins, and how many samples it has itself.
struct Target {
  Numbers weights;
  double samples = 0;
};

/// As many as the smallest class has in the bins.
double smallest_class(const BinCounts& counts) {
  const auto bins = static_cast<std::ptrdiff_t>(counts.bins.size());
  auto least = std::numeric_limits<double>::max();
  for (auto first = counts.there.begin(); first != counts.there.end(); first += bins)
    least = std::min(least, static_cast<double>(std::accumulate(first, first + bins, std::uint64_t{0})));
  return least;
}

Target target_of(const std::string& target, const BinCounts& counts) {
  const auto bins = counts.bins.size();
  const auto there = [&](std::size_t c, std::size_t b) { return counts.there[c * bins + b]; };
  const auto named = std::ranges::find(counts.classes, target);
  if (named == counts.classes.end() && !config::is_target_rule(target))
    return {config::target_file(target, bins), smallest_class(counts)};
  Target made{Numbers(bins), 0};
  for (std::size_t b = 0; b < bins; ++b) {
    Numbers of_classes;
    for (std::size_t c = 0; c < counts.classes.size(); ++c) of_classes.push_back(there(c, b));
    if (target == "min")
      made.weights[b] = std::ranges::min(of_classes);
    else if (target == "max")
      made.weights[b] = std::ranges::max(of_classes);
    else if (target == "mean")
      made.weights[b] = std::accumulate(of_classes.begin(), of_classes.end(), std::uint64_t{0});
    else if (target == "flat")
      made.weights[b] = 1;
    else
      made.weights[b] = of_classes[static_cast<std::size_t>(named - counts.classes.begin())];
    made.samples += static_cast<double>(made.weights[b]);
  }
  if (target == "mean") made.samples /= static_cast<double>(counts.classes.size());
  if (target == "flat") made.samples = smallest_class(counts);
  return made;
}

/// Bins of which a class is wanted that has nothing there. others: what cannot stand for it.
void refuse_empty(const BinCounts& counts, std::size_t c, const Numbers& wanted, const char* others) {
  std::uint32_t empty = 0, first = 0;
  for (std::uint32_t b = counts.bins.size(); b-- > 0;)
    if (wanted[b] > 0 && counts.there[c * counts.bins.size() + b] == 0) {
      first = b;
      ++empty;
    }
  if (empty == 0) return;
  throw UsageError(fmt::format(
      "[resample] class '{}' has no sample in {} bin{} that the target fills (the first: {}, where {} are wanted), and "
      "{} of others would not do; take coarser bins there, or leave those values out of them (outside = 'drop')",
      counts.classes[c], empty, empty == 1 ? "" : "s", counts.bins.text(first), wanted[first], others));
}

/// The most samples that keep the weights' shape without any coming more than `times` times; and the bin that limits.
std::pair<std::uint64_t, std::uint32_t> most_of(const BinCounts& counts, std::size_t c, const Target& target,
                                                std::uint64_t times) {
  const auto sum = std::accumulate(target.weights.begin(), target.weights.end(), std::uint64_t{0});
  std::pair<std::uint64_t, std::uint32_t> most{std::numeric_limits<std::uint64_t>::max(), 0};
  for (std::uint32_t b = 0; b < counts.bins.size(); ++b) {
    const auto there = counts.there[c * counts.bins.size() + b];
    if (target.weights[b] == 0 || there == 0) continue;  // of an empty one nothing is wanted: that was refused
    const auto here = plan::Unsigned128{there} * times * sum / target.weights[b];
    if (here < most.first) most = {static_cast<std::uint64_t>(here), b};
  }
  return most;
}

/// How many samples are wanted of each class.
double asked_for(const config::ResampleConfig& config, const Target& target) {
  if (target.samples < 1)
    throw UsageError(fmt::format("[resample] target = '{}' has no sample in the bins{}; take other bins", config.target,
                                 config.target == "min" ? " (in none do all classes have any)" : ""));
  const auto asked = config.samples.samples > 0 ? static_cast<double>(config.samples.samples)
                                                : std::round(config.samples.times * target.samples);
  if (asked < 1 || asked > most_samples)
    throw UsageError(fmt::format("[resample] samples makes {:g} of each class; give another number", asked));
  return asked;
}

}  // namespace

void settle_wanted(const config::ResampleConfig& config, BinCounts& counts) {
  const auto target = target_of(config.target, counts);
  const auto asked = asked_for(config, target);
  counts.wanted.clear();
  for (std::size_t c = 0; c < counts.classes.size(); ++c) {
    const auto number = static_cast<std::uint64_t>(asked);
    const auto there = std::span(counts.there).subspan(c * counts.bins.size(), counts.bins.size());
    // Less than one sample of an empty bin is none.
    auto wanted = apportion(number, target.weights, there);
    refuse_empty(counts, c, wanted, "copies");
    if (config.max_repeat > 0) {
      const auto [most, bin] = most_of(counts, c, target, config.max_repeat);
      if (most < number) {
        if (most == 0)
          throw UsageError(
              fmt::format("[resample] max-repeat = {} leaves nothing of class '{}' ({} has too few); raise it, or "
                          "take coarser bins",
                          config.max_repeat, counts.classes[c], counts.bins.text(bin)));
        counts.fewer.push_back(fmt::format("{}: {} instead of {}, as max-repeat = {} (it has {} with {})",
                                           counts.classes[c], most, number, config.max_repeat,
                                           counts.there[c * counts.bins.size() + bin], counts.bins.text(bin)));
        wanted = apportion(most, target.weights, there);
      }
    }
    counts.wanted.insert(counts.wanted.end(), wanted.begin(), wanted.end());
  }
}

std::vector<double> settle_weights(const config::ResampleConfig& config, BinCounts& counts) {
  const auto target = target_of(config.target, counts);
  const auto sum = std::accumulate(target.weights.begin(), target.weights.end(), 0.0);
  const auto asked = asked_for(config, target);
  for (std::size_t c = 0; c < counts.classes.size(); ++c) {
    const auto there = std::span(counts.there).subspan(c * counts.bins.size(), counts.bins.size());
    if (std::accumulate(there.begin(), there.end(), std::uint64_t{0}) == 0) continue;  // it is told to have no samples
    refuse_empty(counts, c, apportion(static_cast<std::uint64_t>(asked), target.weights, there), "weights");
  }
  std::vector<double> weights;
  counts.wanted.clear();
  for (std::size_t cell = 0; cell < counts.there.size(); ++cell) {
    const auto there = static_cast<double>(counts.there[cell]);
    const auto wanted = asked * static_cast<double>(target.weights[cell % counts.bins.size()]) / sum;
    weights.push_back(there > 0 ? wanted / there : 0);
    counts.wanted.push_back(there > 0 ? static_cast<std::uint64_t>(std::llround(wanted)) : 0);
  }
  return weights;
}

std::vector<std::string> texts_of(const BinCounts& counts, const std::vector<double>& weights) {
  std::vector<std::string> texts;
  for (std::size_t c = 0; c < counts.classes.size(); ++c) {
    double least = std::numeric_limits<double>::max(), most = 0, sum = 0, squares = 0;
    std::uint64_t samples = 0;
    for (auto cell = c * counts.bins.size(); cell < (c + 1) * counts.bins.size(); ++cell) {
      const auto there = counts.there[cell];
      if (there == 0) continue;
      samples += there;
      least = std::min(least, weights[cell]);
      most = std::max(most, weights[cell]);
      sum += weights[cell] * static_cast<double>(there);
      squares += weights[cell] * weights[cell] * static_cast<double>(there);
    }
    texts.push_back(samples == 0
                        ? counts.classes[c] + ": no samples"
                        : fmt::format("{}: {} samples of weights {:.4g} to {:.4g}, effective {:.0f}", counts.classes[c],
                                      samples, least, most, squares > 0 ? sum * sum / squares : 0));
  }
  return texts;
}

std::vector<ClassDraw> class_draws(const BinCounts& counts) {
  std::vector<ClassDraw> draws;
  for (std::size_t c = 0; c < counts.classes.size(); ++c) {
    auto& draw = draws.emplace_back();
    draw.name = counts.classes[c];
    double squares = 0;
    for (std::uint32_t b = 0; b < counts.bins.size(); ++b) {
      const auto there = counts.there[c * counts.bins.size() + b], wanted = counts.wanted[c * counts.bins.size() + b];
      draw.there += there;
      if (wanted == 0) continue;
      draw.wanted += wanted;
      draw.distinct += std::min(there, wanted);
      const auto times = wanted / there, once_more = wanted % there;
      draw.most = std::max(draw.most, times + (once_more > 0 ? 1 : 0));
      const auto square = [](std::uint64_t n) { return static_cast<double>(n) * static_cast<double>(n); };
      squares +=
          square(times) * static_cast<double>(there - once_more) + square(times + 1) * static_cast<double>(once_more);
    }
    draw.effective = static_cast<double>(draw.wanted) * static_cast<double>(draw.wanted) / squares;
  }
  return draws;
}

std::string text_of(const ClassDraw& draw) {
  const auto most = draw.most == 2 ? std::string("twice") : fmt::format("{} times", draw.most);
  return fmt::format("{}: {} of {} samples, {}, effective {:.0f}", draw.name, draw.wanted, draw.there,
                     draw.repeats() == 0 ? "each at most once"
                                         : fmt::format("{} distinct and {} repeat{} (each at most {})", draw.distinct,
                                                       draw.repeats(), draw.repeats() == 1 ? "" : "s", most),
                     draw.effective);
}

}  // namespace headrace::data::selection
