#include "service/inspect_config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "reader/files.hpp"
#include "reader/grouping.hpp"
#include "service/choice.hpp"
#include "service/field_resolve.hpp"
#include "service/options_value.hpp"
#include "service/plan_fields.hpp"
#include "service/questions.hpp"
#include "service/raw_contents.hpp"
#include "service/scale_file.hpp"

namespace headrace::service {

namespace {

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string scaling_text(const FieldConfig& f) {
  const auto with = f.norm_over == NormOver::field ? " of the whole field" : "";
  if (!f.scale_file.empty()) {
    const auto how = f.norm == Norm::none || f.norm == Norm::tanh_log ? "scale" : std::string(word(f.norm));
    return fmt::format("{}{} by '{}'", how, with, file_name(f.scale_file));
  }
  std::string text;
  if (!f.shift.empty()) text += fmt::format("shift {}", fmt::join(f.shift, ", "));
  if (!f.scale.empty()) text += fmt::format("{}scale {}", text.empty() ? "" : "; ", fmt::join(f.scale, ", "));
  return text;
}

std::string nonfinite_text(const NonfinitePolicy& policy) {
  using Kind = NonfinitePolicy::Kind;
  switch (policy.kind) {
    case Kind::unsaid:
      return "";
    case Kind::error:
      return "NaN is an error";
    case Kind::keep:
      return "NaN kept";
    case Kind::variable_default:
      return "NaN to the variable's default";
    case Kind::value:
      return fmt::format("NaN to {}", policy.value);
  }
  return "";
}

std::string encoding_text(const FieldConfig& f, const ResolvedField& resolved) {
  if (f.encode == Encode::none) return "";
  if (resolved.needs_label_values) return std::string(word(f.encode));
  const auto& classes = resolved.field.classes;
  constexpr std::size_t listed = 8;
  if (classes.size() > listed) return fmt::format("{} of {} classes", word(f.encode), classes.size());
  return fmt::format("{} of {}", word(f.encode), fmt::join(classes, ", "));
}

std::string validity_text(const FieldConfig& f, const ResolvedField& resolved) {
  switch (resolved.validity.from) {
    case ValiditySource::From::items:
    case ValiditySource::From::dataset:
      return f.valid.empty() ? "invalid elements are 0" : fmt::format("valid by {}", f.valid);
    case ValiditySource::From::join:
    case ValiditySource::From::nowhere:
      return "";
  }
  return "";
}

/// In the order in which they are done.
std::vector<std::string> operations(const FieldConfig& f, const ResolvedField& resolved) {
  const auto& items = resolved.spec.items;
  const bool decoded = std::any_of(items.begin(), items.end(), [](const auto& item) {
    return std::any_of(item.columns.begin(), item.columns.end(), [](const auto& column) { return column.cf; });
  });
  const auto pad = f.pad
                       ? fmt::format("pad to {}{}", *f.pad, f.overlong == Overlong::truncate ? ", longer ones cut" : "")
                       : std::string();
  std::vector<std::string> all{
      f.join.empty() ? "" : fmt::format("join by {}", f.join),
      pad,
      decoded ? "CF decoding" : "",
      validity_text(f, resolved),
      nonfinite_text(f.nonfinite),
      f.log.empty() ? "" : fmt::format("log of {}", fmt::join(f.log, ", ")),
      f.norm == Norm::tanh_log ? "tanh-log" : "",
      f.plugin.empty() ? "" : fmt::format("plugin '{}'", file_name(f.plugin)),
      scaling_text(f),
      f.raw.empty() ? "" : fmt::format("{} raw", fmt::join(f.raw, ", ")),
      encoding_text(f, resolved),
      f.missing ? fmt::format("{} where absent", *f.missing) : "",
      f.dtype ? fmt::format("as {}{}", name_of(*f.dtype), f.overflow == Overflow::saturate ? ", saturating" : "") : "",
      f.shape ? "reshaped" : ""};
  std::erase(all, "");
  return all;
}

/// The rows per file of all datasets of samples, which must be the same.
class SampleCount {
 public:
  explicit SampleCount(const reader::Contents& contents) : contents_(contents) {}

  void add(const std::string& field, const std::string& path) {
    std::vector<std::uint64_t> rows;
    for (const auto& file : contents_) {
      const auto* dataset = find_dataset(file, path);
      if (!dataset)
        throw UsageError(
            fmt::format("[field.{}] dataset '{}' is not in '{}'; leave that file out, or give missing "
                        "where the dataset may be absent from all",
                        field, path, file.path));
      rows.push_back(dataset->rows());
    }
    if (paths_.empty()) rows_ = rows;
    paths_.push_back(path);
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (rows[i] != rows_[i])
        throw UsageError(
            fmt::format("[field.{}] datasets '{}' and '{}' have {} and {} rows in '{}'; fields have one "
                        "row a sample (or join by an id dataset)",
                        field, paths_[0], path, rows_[i], rows[i], contents_[i].path));
  }
  const std::vector<std::uint64_t>& per_file() const { return rows_; }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  static const h5::DatasetInfo* find_dataset(const reader::FileContents& file, const std::string& path) {
    for (const auto& dataset : file.datasets)
      if (dataset.path == path ||
          std::find(dataset.aliases.begin(), dataset.aliases.end(), path) != dataset.aliases.end())
        return &dataset;
    return nullptr;
  }

  const reader::Contents& contents_;
  std::vector<std::string> paths_;
  std::vector<std::uint64_t> rows_;
};

/// What can be counted without reading data.
StreamReport count(const StreamConfig& stream, const Choice& choice) {
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

/// The streams, once all that they name is there.
std::vector<StreamReport> streams_of(const Config& config, const reader::Contents& contents,
                                     const std::vector<std::string>& sample_paths) {
  const auto catalog = reader::select(contents, sample_paths);
  const auto choices = choose(config, catalog);
  SampleColumns columns(contents, catalog);
  questions_of(choices, columns);
  std::vector<StreamReport> reports;
  for (std::size_t s = 0; s < choices.size(); ++s) {
    if (const auto& list = choices[s].list; list && list->by == "index")
      IdList::read(list->file, false, choices[s].stream);
    reports.push_back(count(config.streams[s], choices[s]));
  }
  return reports;
}

void add_field(const FieldConfig& config, const RawDatasets& datasets, ScaleFiles& scales, SampleCount& count,
               ConfigReport& report) {
  const auto resolved = resolve_field({.config = config, .datasets = datasets, .scales = scales.of(config)});
  if (config.join.empty())
    for (const auto& need : resolved.needs) count.add(config.name, need.path);
  FieldReport told{.field = resolved.field, .source = config.source, .operations = operations(config, resolved)};
  if (resolved.needs_label_values) told.unknown.push_back("classes");
  report.fields.push_back(std::move(told));
  if (resolved.mask) report.fields.push_back({*resolved.mask, {}, {"mask of " + config.name}, {}});
}

}  // namespace

std::uint64_t ConfigReport::sample_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& report : fields) bytes += report.field.row_bytes();
  return bytes;
}

ConfigReport report_on(const Config& config) {
  ConfigReport report;
  report.files = reader::expand_files(config.files);
  reader::Contents contents;
  for (const auto& path : report.files) contents.push_back(reader::examine(path));
  std::vector<reader::LeftOut> left_out;
  const auto datasets = raw_datasets(contents, &left_out);
  Mistakes mistakes;
  ScaleFiles scales;
  SampleCount samples(contents);
  for (const auto& field : config.fields.empty() ? automatic_fields(contents) : config.fields)
    mistakes.attempt([&] { add_field(field, datasets, scales, samples, report); });
  if (!mistakes.empty())
    for (const auto& [path, reason] : left_out) mistakes.add("dataset '" + path + "' is left out: " + reason);
  mistakes.throw_if_any();
  if (samples.per_file().empty())
    throw UsageError("no field has one row a sample (all are joined); name such a dataset as a field, too");
  for (const auto rows : samples.per_file()) report.samples += rows;
  report.streams = streams_of(config, contents, samples.paths());
  return report;
}

int inspect_config(const Config& config, bool json, std::ostream& out) {
  const auto report = report_on(config);
  out << (json ? as_json(report) : as_table(report)) << std::flush;
  return 0;
}

}  // namespace headrace::service
