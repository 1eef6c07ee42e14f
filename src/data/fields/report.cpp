#include "data/fields/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "catalog/files.hpp"
#include "catalog/grouping.hpp"
#include "config/inventory.hpp"
#include "config/resample_values.hpp"
#include "data/fields/counts.hpp"
#include "data/fields/warnings.hpp"
#include "data/selection/choice.hpp"
#include "data/selection/inventory_settings.hpp"
#include "data/selection/mixing.hpp"
#include "data/selection/questions.hpp"
#include "data/selection/scan_files.hpp"

namespace headrace::data::fields {

namespace {

/// The rows per file of all datasets of samples, which must be the same.
class SampleCount {
 public:
  /// may_lack: datasets that a file may be without.
  SampleCount(const catalog::Contents& contents, std::set<std::string> may_lack)
      : contents_(contents), may_lack_(std::move(may_lack)), rows_(contents.size()), told_by_(contents.size()) {}

  void add(const std::string& field, const std::string& path) {
    std::vector<std::optional<std::uint64_t>> rows;
    for (const auto& file : contents_) {
      const auto* dataset = catalog::find(file, path);
      const auto dead = dataset == nullptr ? catalog::dead_link(file, path) : "";
      if (!dead.empty())
        throw UsageError(
            fmt::format("[field.{}] dataset '{}' cannot be used (in {} {}); put there what it leads to, or "
                        "leave that file out",
                        field, path, file.path, dead));
      if (!dataset && may_lack_.contains(path)) {
        rows.emplace_back();
        continue;
      }
      if (!dataset)
        throw UsageError(
            fmt::format("[field.{}] dataset '{}' is not in '{}'; leave that file out, or give missing: "
                        "a value for where the dataset is absent",
                        field, path, file.path));
      rows.push_back(dataset->rows());
    }
    paths_.push_back(path);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i]) continue;
      if (!rows_[i]) {
        rows_[i] = rows[i];
        told_by_[i] = path;
      }
      if (rows[i] != rows_[i])
        throw UsageError(
            fmt::format("[field.{}] datasets '{}' and '{}' have {} and {} rows in '{}'; fields have one "
                        "row a sample (or join by an id dataset)",
                        field, told_by_[i], path, *rows_[i], *rows[i], contents_[i].path));
    }
  }
  std::uint64_t samples() const {
    std::uint64_t sum = 0;
    for (const auto& rows : rows_) sum += rows.value_or(0);
    return sum;
  }
  const std::vector<std::string>& paths() const { return paths_; }
  const std::set<std::string>& may_lack() const { return may_lack_; }

 private:
  const catalog::Contents& contents_;
  std::set<std::string> may_lack_;
  std::vector<std::string> paths_;
  std::vector<std::optional<std::uint64_t>> rows_;  // of a file that lacks them all: nothing
  std::vector<std::string> told_by_;                // which dataset of it
};

/// What can be counted without reading data.
StreamReport count(const config::StreamConfig& stream, const selection::Choice& choice) {
  StreamReport report{.config = stream};
  if (!choice.where.empty())
    report.why = "where";
  else if (choice.list)
    report.why = "select by " + choice.list->by;
  else if (choice.part)
    report.why = "part '" + stream.select + "' of the split";
  else
    report.samples = choice.selection.size();
  return report;
}

/// Pairs of streams with samples in common, as far as they are known.
std::vector<SharedReport> shared_of(const config::Config& config, const std::vector<selection::Choice>& choices,
                                    const std::optional<DataCounts::Streams>& counted) {
  std::vector<selection::SharedSamples> known;
  std::vector<SharedReport> reports;
  if (counted) {
    known = counted->shared;
  } else {
    for (std::size_t a = 0; a < choices.size(); ++a)
      for (std::size_t b = a + 1; b < choices.size(); ++b) {
        const auto &first = choices[a], &second = choices[b];
        const auto shared = selection::shared_without_data(first, second);
        if (!shared)
          reports.push_back({first.stream, second.stream, std::nullopt});
        else if (*shared > 0)
          known.push_back({first.stream, second.stream, *shared, first.selection.size(), second.selection.size()});
      }
  }
  selection::refuse_shared(config, known);
  for (const auto& shared : known) reports.push_back({shared.first, shared.second, shared.samples});
  return reports;
}

/// What a stream has of the classes; sizes: of each, where they are counted.
void tell_classes(const config::Config& config, std::size_t s, const std::vector<std::uint64_t>* sizes,
                  StreamReport& report) {
  const auto& stream = config.streams[s];
  const bool asks = std::ranges::any_of(config.classes, [](const auto& one) { return !one.where.empty(); });
  if (!sizes && (asks || selection::mixes(stream) || config::bins(config, stream))) {
    report.samples.reset();
    if (report.why.empty()) report.why = config::bins(config, stream) ? "resample" : "classes";
  }
  if (!sizes || sizes->empty()) return;
  const auto mix = selection::mix_of(config, stream, *sizes);
  report.samples = mix->positions;
  report.mix = selection::lines_of(plan::EpochOrder(mix, config.seed, stream.name, 0), *mix,
                                   selection::names_of(config.classes));
}

/// The streams, once all that they name is there.
void add_streams(const config::Config& config, const catalog::Contents& contents, const catalog::Catalog& catalog,
                 DataCounts& data, ConfigReport& report) {
  const auto choices = selection::choose(config, catalog);
  selection::SampleColumns columns(contents, catalog);
  selection::questions_of(choices, columns);
  const auto counted = data.streams(catalog, choices);
  auto& reports = report.streams;
  for (std::size_t s = 0; s < choices.size(); ++s) {
    if (const auto& list = choices[s].list; list && list->by == "index")
      selection::IdList::read(list->file, false, choices[s].stream, list->repeats);
    reports.push_back(count(config.streams[s], choices[s]));
    if (counted) reports.back().samples = counted->sizes[s];
    tell_classes(config, s, counted ? &counted->class_sizes[s] : nullptr, reports.back());
    if (!counted || (!counted->draws[s].draw && !counted->draws[s].counts)) continue;
    reports.back().draw = counted->draws[s];
    reports.back().mix = selection::lines_of(counted->draws[s]);
  }
  report.shared = shared_of(config, choices, counted);
}

/// The arrays that a field becomes, and what is to be said of them.
void add_field(const config::FieldConfig& config, const ResolvedField& resolved, Plugins plugins,
               ConfigReport& report) {
  FieldReport told{.field = resolved.field, .source = config.source, .operations = operations(config, resolved)};
  if (resolved.needs_label_values) told.unknown.push_back("classes");
  if (!config.plugin.empty() && plugins == Plugins::look_at)
    told.notes.push_back("whether the plugin accepts the field shows when it is served, or with --plugins");
  for (auto& warning : warnings_of(config, resolved)) report.warnings.push_back(std::move(warning));
  for (const auto& left : resolved.left_packed) told.notes.push_back(left);
  report.fields.push_back(std::move(told));
  if (resolved.mask) report.fields.push_back({*resolved.mask, {}, {"mask of " + config.name}, {}});
}

/// The samples of the fields that are right; what is wrong with their numbers goes to `mistakes`.
SampleCount count_samples(const ResolvedFields& fields, const catalog::Contents& contents, config::Mistakes& mistakes) {
  SampleCount samples(contents, fields.may_lack());
  for (std::size_t f = 0; f < fields.size(); ++f)
    if (fields.field(f) && fields.config(f).join.empty())
      mistakes.attempt([&] {
        for (const auto& need : fields.field(f)->needs) samples.add(fields.config(f).name, need.path);
      });
  return samples;
}

}  // namespace

std::uint64_t ConfigReport::sample_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& report : fields) bytes += report.field.row_bytes();
  return bytes;
}

ConfigReport report_on(const config::Config& config, std::uint64_t most_bytes, Plugins plugins) {
  ConfigReport report;
  report.scratch = config.scratch;
  const bool inventory = !config.inventory.csv.empty();
  report.files = inventory ? std::vector{config.inventory.csv} : catalog::expand_files(config.files);
  report.contents = selection::scan_files_alone(config, plugins == Plugins::load).contents;
  const auto& contents = report.contents;
  config::Mistakes mistakes;
  ResolvedFields fields(config, contents, {.plugins = plugins});
  fields.resolve(mistakes);
  DataCounts data(config, contents, most_bytes);
  for (std::size_t f = 0; f < fields.size(); ++f)
    if (const auto dataset = fields.labels_to_read(f))
      mistakes.attempt([&] {
        if (const auto labels = data.labels(fields.config(f), *dataset)) fields.use_labels(f, *labels);
      });
  const auto samples = count_samples(fields, contents, mistakes);
  selection::check_streams(config, contents, samples.paths(), samples.may_lack(), mistakes);
  mistakes.throw_if_any();
  if (samples.paths().empty())
    throw UsageError("no field has one row a sample (all are joined); name such a dataset as a field, too");
  report.samples = samples.samples();
  report.warnings = selection::warnings_of_table(config, contents);
  for (std::size_t f = 0; f < fields.size(); ++f) add_field(fields.config(f), *fields.field(f), plugins, report);
  report.catalog = catalog::select(contents, samples.paths(), samples.may_lack());
  add_streams(config, contents, report.catalog, data, report);
  report.session = data.session();
  return report;
}

void check_against_files(const config::Config& config, config::Mistakes& mistakes) {
  constexpr std::size_t most_files = 8;  // they are alike, and nobody waits for thousands to be opened
  if ((config.files.empty() && config.inventory.csv.empty()) || mistakes.wrong({"", "", "files"})) return;
  for (const auto& field : config.fields)
    if (config::is_code(field.decoder)) return;  // nobody's code runs just to tell more of mistakes
  try {
    const auto [files, contents] = selection::scan_files_alone(config, false, most_files);
    const bool all = files <= most_files;
    ResolvedFields fields(config, contents, {.plugins = Plugins::look_at});
    fields.resolve(mistakes);
    const auto samples = count_samples(fields, contents, mistakes);
    selection::check_streams(config, contents, all ? samples.paths() : std::vector<std::string>(), samples.may_lack(),
                             mistakes);
  } catch (const Error& error) {
    mistakes.add(error.what());
  }
}

}  // namespace headrace::data::fields
