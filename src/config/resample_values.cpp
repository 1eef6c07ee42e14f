#include "config/resample_values.hpp"

#include <algorithm>
#include <cmath>

namespace headrace::config {

namespace {

constexpr std::uint64_t most_bins = 1'000'000;  // of all variables together
constexpr const char* form =
    "a variable with its bins, regions FIRST:LAST:BINS that follow each other, as in jets.pt = 0:250e3:50, "
    "250e3:6e6:50";

/// The edges of FIRST:LAST:BINS, as NumPy's linspace has them.
void add_region(const Value& value, const std::string& text, std::vector<double>& edges) {
  const auto one = text.find(':'), two = text.find(':', one + 1);
  if (one == std::string::npos || two == std::string::npos) reject(value, form);
  const auto first = number_in(trimmed(text.substr(0, one))),
             last = number_in(trimmed(text.substr(one + 1, two - one - 1))),
             bins = number_in(trimmed(text.substr(two + 1)));
  if (!first || !last || !bins || *bins < 1 || *bins > static_cast<double>(most_bins) || *bins != std::floor(*bins))
    reject(value, form);
  if (!(*first < *last))
    throw UsageError(value.shown + ": region " + text +
                     " does not ascend (its first edge is not below its last); swap them");
  if (!edges.empty() && edges.back() != *first)
    throw UsageError(value.shown + ": region " + text +
                     " does not begin where the one before it ends; let each region follow the last one");
  if (edges.empty()) edges.push_back(*first);
  for (double i = 1; i < *bins; ++i) edges.push_back(*first + (*last - *first) / *bins * i);
  edges.push_back(*last);
  if (std::ranges::adjacent_find(edges, std::greater_equal<>()) != edges.end())
    throw UsageError(value.shown + ": region " + text + " has bins too narrow for numbers of 64 bits; take fewer");
}

/// What is neither a rule nor a class may be a file: its name tells.
bool looks_like_a_file(const std::string& target) {
  return target.find_first_of("./") != std::string::npos;
}

void check_target(const Config& config, Mistakes& mistakes) {
  const auto& target = config.resample.target;
  if (target.empty()) {
    if (!mistakes.wrong({"", "", "resample.target"}))
      mistakes.add(
          "[resample] bins needs target: which distribution all classes get, that of a class or of a file, or "
          "min, mean, max or flat");
    return;
  }
  std::vector<std::string> names;
  for (const auto& one : config.classes) names.push_back(one.name);
  const bool known = std::ranges::find(names, target) != names.end();
  if (known && is_target_rule(target))
    mistakes.add("[resample] target = '" + target + "' is both a rule and a class; give the class another name");
  if (known || is_target_rule(target) || mistakes.wrong({"", "", "class-names"}) || mistakes.wrong({"class", "", ""}))
    return;
  if (looks_like_a_file(target)) return;
  if (names.empty())
    return mistakes.add("[resample] target = '" + target +
                        "': there are no classes; write [class.NAME] sections, or take target = 'flat'");
  auto all = names;
  all.insert(all.end(), {"min", "mean", "max", "flat"});
  mistakes.add("[resample] target: there is no class '" + target + "'" + did_you_mean(target, all) +
               " (a file has a point or a slash in its name)");
}

void check_stream(const Config& config, const StreamConfig& stream, Mistakes& mistakes) {
  const auto begin = "[stream." + stream.name + "] ";
  if (stream.select_repeats && stream.select_file.empty() && !mistakes.wrong({"stream", stream.name, "select-file"}) &&
      !mistakes.wrong({"", "", "select-file"}))
    mistakes.add(begin + "select-repeats has no effect without select-file; give the list's file too, or drop it");
  if (stream.select_repeats && stream.mix.kind != MixConfig::Kind::none)
    mistakes.add(begin + "mix contradicts select-repeats (both say how often a sample comes); drop one of them");
  const bool joins = std::ranges::any_of(config.fields, [](const FieldConfig& field) { return !field.join.empty(); });
  if (stream.select_repeats && joins)
    mistakes.add(begin +
                 "select-repeats does not go with join yet; join the tables beforehand, or list each sample once");
  if (!resamples(config, stream)) return;
  if (stream.mix.kind != MixConfig::Kind::none)
    mistakes.add(begin +
                 "mix contradicts [resample] (which says how many come of each class: samples); drop mix, or set "
                 "resample = false there");
  if (stream.select_repeats)
    mistakes.add(begin +
                 "select-repeats contradicts [resample] (both say how often a sample comes); drop it, or set "
                 "resample = false there");
}

}  // namespace

BinAxis bin_axis(const Value& value, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) reject(value, form);
  BinAxis axis{text, trimmed(text.substr(0, equals)), false, {}};
  if (axis.item.starts_with("abs(") && axis.item.ends_with(')')) {
    axis.absolute = true;
    axis.item = trimmed(axis.item.substr(4, axis.item.size() - 5));
  }
  if (axis.item.empty()) reject(value, form);
  for (const auto& region : split_items(text.substr(equals + 1))) add_region(value, trimmed(region), axis.edges);
  if (axis.edges.size() < 2) reject(value, form);
  if (axis.absolute && axis.edges[0] < 0)
    throw UsageError(value.shown + ": abs(" + axis.item + ") has no values below 0; begin its bins there");
  return axis;
}

std::vector<BinAxis> bin_axes(const Value& value) {
  std::vector<BinAxis> axes;
  double bins = 1;
  for (const auto& text : value.texts) {
    axes.push_back(bin_axis(value, text));
    bins *= static_cast<double>(axes.back().edges.size() - 1);
    for (std::size_t a = 0; a + 1 < axes.size(); ++a)
      if (axes[a].item == axes.back().item && axes[a].absolute == axes.back().absolute)
        throw UsageError(value.shown + " names '" + axes[a].item + "' twice; give all its regions together");
  }
  if (axes.empty()) reject(value, form);
  if (bins > static_cast<double>(most_bins))
    throw UsageError(value.shown + " makes more than " + std::to_string(most_bins) +
                     " bins of all variables together; take coarser ones");
  return axes;
}

ResampleConfig::Amount amount(const Value& value) {
  const auto number = number_in(value.text());
  const auto allowed =
      "a multiple of the target's number, above 0 and up to 10, or a whole number of samples from 11 up";
  if (!number || *number <= 0 || *number > 0x1p53) reject(value, allowed);
  if (*number <= most_times) return {*number, 0};
  if (*number != std::floor(*number)) reject(value, allowed);
  return {0, static_cast<std::uint64_t>(*number)};
}

bool is_target_rule(const std::string& target) {
  return target == "min" || target == "mean" || target == "max" || target == "flat";
}

bool has_target_file(const Config& config) {
  const auto& target = config.resample.target;
  return !is_target_rule(target) && looks_like_a_file(target) &&
         std::ranges::none_of(config.classes, [&](const ClassConfig& one) { return one.name == target; });
}

bool bins(const Config& config, const StreamConfig& stream) {
  return !config.resample.bins.empty() && stream.resample;
}

bool resamples(const Config& config, const StreamConfig& stream) {
  return bins(config, stream) && config.resample.as == ResampleAs::samples;
}

void check_resampling(const Config& config, Mistakes& mistakes) {
  const auto& resample = config.resample;
  for (const auto& stream : config.streams) check_stream(config, stream, mistakes);
  if (resample.bins.empty()) {
    if (resample != ResampleConfig{} && !mistakes.wrong({"", "", "resample.bins"}))
      mistakes.add("[resample] has no effect without bins; name the variables and their bins, or drop the section");
    return;
  }
  check_target(config, mistakes);
  const bool joins = std::ranges::any_of(config.fields, [](const FieldConfig& field) { return !field.join.empty(); });
  if (joins) mistakes.add("[resample] does not go with join yet; join the tables beforehand, or drop the section");
  if (resample.as == ResampleAs::weights && resample.max_repeat > 0)
    mistakes.add("[resample] max-repeat contradicts as = 'weights' (each sample comes once); drop one of them");
  if (resample.as == ResampleAs::weights && resample.redraw == plan::Draw::Redraw::never)
    mistakes.add(
        "[resample] redraw = 'never' contradicts as = 'weights' (all samples come, none is drawn); drop one of them");
}

}  // namespace headrace::config
