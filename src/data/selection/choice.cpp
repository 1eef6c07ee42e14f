#include "data/selection/choice.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "data/selection/files_meant.hpp"
#include "plan/permutation.hpp"

namespace headrace::data::selection {

namespace {

/// The samples of the files that the patterns mean, ascending.
std::vector<plan::Range> ranges_of_files(const std::vector<std::string>& patterns, const std::string& who,
                                         const catalog::Catalog& catalog) {
  if (patterns.empty()) return {{0, catalog.samples}};
  std::vector<bool> used;
  std::vector<plan::Range> ranges;
  const auto meant = files_meant(patterns, catalog, used);
  for (std::size_t f = 0; f < catalog.files.size(); ++f) {
    const auto& file = catalog.files[f];
    if (meant[f] && file.samples > 0) ranges.push_back({file.first_sample, file.first_sample + file.samples});
  }
  for (std::size_t i = 0; i < used.size(); ++i)
    if (!used[i]) {
      std::vector<std::string> all;
      for (const auto& file : catalog.as_named()) all.push_back(file.path);
      if (!catalog.named.empty())  // some were seen through, and go by either name
        for (const auto& file : catalog.files)
          if (std::ranges::find(all, file.path) == all.end()) all.push_back(file.path);
      throw UsageError(who + ": files: '" + patterns[i] + "' is none of the service's files" +
                       did_you_mean(patterns[i], all));
    }
  if (ranges.empty()) throw UsageError(who + ": its files hold no samples");
  return ranges;
}

/// The selection of numbers 0 .. n-1 counted through the ranges, as sample numbers.
plan::Selection through(const plan::Selection& selection, const std::vector<plan::Range>& ranges) {
  if (ranges.size() == 1 && ranges[0].first == 0) return selection;
  std::vector<plan::Range> result;
  for (const auto& run : selection.ranges()) {
    std::uint64_t before = 0;  // numbers of the ranges in front
    for (const auto& range : ranges) {
      const auto length = range.last - range.first;
      // The first number of the run that is not below `before`.
      const auto skipped = before > run.first ? (before - run.first + run.step - 1) / run.step * run.step : 0;
      const auto first = run.first + skipped, last = std::min(run.last, before + length);
      if (first < last) result.push_back({range.first + (first - before), range.first + (last - before), run.step});
      before += length;
    }
  }
  return plan::Selection::of(result);
}

std::optional<Part> part_named(const config::Config& config, const std::string& name, std::uint64_t samples) {
  double before = 0;
  for (const auto& part : config.split) {
    const auto border = [&](double fraction) {
      return static_cast<std::uint64_t>(std::llround(std::min(1.0, fraction) * static_cast<double>(samples)));
    };
    // Fractions that add up to 1 but for rounding are complete.
    const auto after = std::abs(before + part.fraction - 1) < 1e-9 ? 1 : before + part.fraction;
    if (part.name == name) return Part{border(before), border(after)};
    before = after;
  }
  return std::nullopt;
}

void select(const config::Config& config, const config::StreamConfig& stream, const catalog::Catalog& catalog,
            Choice& choice) {
  const auto ranges = ranges_of_files(stream.files, "stream '" + stream.name + "'", catalog);
  std::uint64_t samples = 0;
  for (const auto& range : ranges) samples += range.last - range.first;
  choice.selection = through(plan::Selection::all(samples), ranges);
  if (stream.select.empty()) return;
  choice.part = part_named(config, stream.select, catalog.samples);
  if (choice.part) {
    require(choice.part->first < choice.part->last, "stream '" + stream.name + "': part '" + stream.select + "' of " +
                                                        std::to_string(catalog.samples) + " samples has none");
    return;
  }
  if (stream.select.find(':') == std::string::npos) {
    std::vector<std::string> parts;
    for (const auto& part : config.split) parts.push_back(part.name);
    throw UsageError("stream '" + stream.name + "': select: '" + stream.select + "' is neither a slice nor a part of " +
                     (parts.empty() ? "a split (there is none); write first:last, or split = \"" + stream.select +
                                          ":0.8, rest:0.2\" at the top"
                                    : "the split" + did_you_mean(stream.select, parts)));
  }
  try {
    choice.selection = through(plan::Selection::parse(stream.select, samples), ranges);
  } catch (const UsageError& error) {
    throw UsageError("stream '" + stream.name + "': " + error.what());
  }
}

/// Where all classes are made of files: each file is of one of them.
void check_files(const config::Config& config, const catalog::Catalog& catalog, const std::vector<Choice>& classes,
                 config::Mistakes& mistakes) {
  if (classes.empty()) return;
  const bool by_files = std::ranges::all_of(config.classes, [](const auto& one) { return one.where.empty(); });
  for (const auto& file : catalog.files) {
    if (file.samples == 0) continue;
    std::vector<std::string> of;
    for (std::size_t c = 0; c < classes.size(); ++c)
      if (config.classes[c].where.empty() && classes[c].selection.contains({file.first_sample}))
        of.push_back(classes[c].stream);
    if (of.size() > 1)
      mistakes.add("file '" + file.path + "' is of two classes, '" + of[0] + "' and '" + of[1] +
                   "'; make the patterns of their files narrower");
    if (of.empty() && by_files)
      mistakes.add("file '" + file.path + "' is of no class; give it to one, or leave it out of files");
  }
}

}  // namespace

std::vector<Choice> choose_classes(const config::Config& config, const catalog::Catalog& catalog) {
  config::Mistakes mistakes;
  std::vector<Choice> choices;
  choose_classes(config, catalog, mistakes, choices);
  mistakes.throw_if_any();
  return choices;
}

void choose_classes(const config::Config& config, const catalog::Catalog& catalog, config::Mistakes& mistakes,
                    std::vector<Choice>& choices) {
  std::vector<Choice> classes;
  bool right = true;
  for (const auto& one : config.classes) {
    auto& choice = classes.emplace_back();
    choice.stream = one.name;
    choice.of_class = true;
    const auto before = mistakes.size();
    mistakes.attempt([&] {
      const auto ranges = ranges_of_files(one.files, choice.who(), catalog);
      choice.selection = plan::Selection::of(ranges);
      if (!one.values.empty())
        choice.where.push_back(condition::Condition::of_values(config.class_column, one.values));
      else if (!one.where.empty())
        choice.where.push_back(condition::Condition::parse(one.where));
    });
    right = right && mistakes.size() == before;
  }
  if (right) check_files(config, catalog, classes, mistakes);
  for (auto& choice : classes) choices.push_back(std::move(choice));
}

plan::Selection both(const plan::Selection& selection, const plan::Selection& ranges) {
  std::vector<plan::Range> common;
  for (const auto& run : selection.ranges())
    for (const auto& range : ranges.ranges()) {
      const auto skipped = range.first > run.first ? (range.first - run.first + run.step - 1) / run.step * run.step : 0;
      const auto first = run.first + skipped, last = std::min(run.last, range.last);
      if (first < last) common.push_back({first, last, run.step});
    }
  return plan::Selection::of(common);
}

std::uint64_t split_key(std::uint64_t seed) {
  return plan::epoch_key(seed, "/split", 0);  // no stream is called like that
}

std::vector<Choice> choose(const config::Config& config, const catalog::Catalog& catalog) {
  config::Mistakes mistakes;
  auto choices = choose(config, catalog, mistakes);
  mistakes.throw_if_any();
  return choices;
}

std::vector<Choice> choose(const config::Config& config, const catalog::Catalog& catalog, config::Mistakes& mistakes) {
  std::vector<Choice> choices;
  for (const auto& stream : config.streams) {
    auto& choice = choices.emplace_back();
    choice.stream = stream.name;
    const bool known =
        mistakes.wrong({"stream", stream.name, "select"}) || mistakes.wrong({"stream", stream.name, "files"}) ||
        mistakes.wrong({"", "", "select"}) ||
        (mistakes.wrong({"", "", "split"}) && !stream.select.empty() && stream.select.find(':') == std::string::npos);
    if (!known) mistakes.attempt([&] { select(config, stream, catalog, choice); });
    if (!stream.select_file.empty()) choice.list = List{stream.select_file, stream.select_by, stream.select_repeats};
    for (const auto& text : {config.where, stream.where})
      if (!text.empty()) choice.where.push_back(condition::Condition::parse(text));
  }
  return choices;
}

}  // namespace headrace::data::selection
