// The two faces of a configuration's report.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/bytes.hpp"
#include "base/printable.hpp"
#include "commands/inspect/config_views.hpp"
#include "commands/inspect/fold.hpp"
#include "commands/resampling_plot.hpp"
#include "h5/dataset.hpp"

namespace headrace::commands::inspect {

namespace {

using nlohmann::ordered_json;
using Row = std::vector<std::string>;

std::string size_text(std::uint64_t bytes) {
  return format_bytes(static_cast<double>(bytes));
}

/// Columns as wide as their widest cell; the last as it comes.
std::string table(std::vector<Row> rows) {
  for (auto& row : rows)
    for (auto& cell : row) cell = printable(cell);
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t c = 0; c + 1 < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  std::string text;
  for (const auto& row : rows) {
    std::string line = " ";
    for (std::size_t c = 0; c < row.size(); ++c) line += fmt::format(" {:<{}} ", row[c], widths[c]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

Row row_of(const data::fields::FieldReport& report) {
  const auto& field = report.field;
  auto work = report.operations;
  for (const auto& what : report.unknown) work.push_back(what + " counted when served, or with --count");
  return {field.name,
          h5::shape_text(field.shape),
          std::string(name_of(field.dtype)),
          size_text(field.row_bytes()),
          fmt::format("{}", fmt::join(report.source, " + ")),
          fmt::format("{}", fmt::join(work, "; "))};
}

std::string columns_text(const data::fields::FieldReport& report) {
  if (report.field.columns.empty()) return "";
  return printable(fmt::format("  {}: columns {}", report.field.name, fmt::join(report.field.columns, ", "))) + "\n";
}

std::string notes_text(const data::fields::FieldReport& report) {
  std::string text;
  for (const auto& note : report.notes)
    text += fmt::format("  {}: {}\n", printable(report.field.name), printable(note));
  return text;
}

std::string batch_text(const config::StreamConfig& stream) {
  return stream.batch ? fmt::format("{} a trainer", *stream.batch) : fmt::format("{} of all", *stream.global_batch);
}

std::string selected_text(const config::StreamConfig& stream) {
  Row parts;
  if (!stream.files.empty()) parts.push_back(fmt::format("files {}", fmt::join(stream.files, ", ")));
  if (!stream.select.empty()) parts.push_back("select " + stream.select);
  if (!stream.select_file.empty())
    parts.push_back(fmt::format("'{}' by {}{}", stream.select_file, stream.select_by,
                                stream.select_repeats ? " with repeats" : ""));
  if (!stream.where.empty()) parts.push_back("where " + stream.where);
  if (const auto mix = config::text_of(stream.mix); !mix.empty())
    parts.push_back(fmt::format("mix {} within {}", mix, config::word(stream.mix.within)));
  return fmt::format("{}", fmt::join(parts, "; "));
}

Row row_of(const data::fields::StreamReport& report) {
  const auto& stream = report.config;
  return {
      stream.name,
      report.samples ? std::to_string(*report.samples) : "counted when served (" + report.why + "), or with --count",
      batch_text(stream),
      std::string(config::word(stream.shuffle)),
      std::string(config::word(stream.last)),
      stream.epochs ? std::to_string(stream.epochs) : "endless",
      selected_text(stream)};
}

ordered_json json_of(const data::fields::FieldReport& report) {
  const auto& field = report.field;
  return {{"name", field.name},       {"source", report.source},       {"operations", report.operations},
          {"shape", field.shape},     {"dtype", name_of(field.dtype)}, {"bytes", field.row_bytes()},
          {"columns", field.columns}, {"classes", field.classes},      {"unknown", report.unknown},
          {"notes", report.notes}};
}

std::string text_of(const data::fields::SharedReport& shared) {
  return shared.samples ? fmt::format("  {} and {} share {} sample{}\n", shared.first, shared.second, *shared.samples,
                                      *shared.samples == 1 ? "" : "s")
                        : fmt::format("  {} and {} may share samples: counted when served, or with --count\n",
                                      shared.first, shared.second);
}

/// What epoch 0 of a stream has of each class.
std::string mix_text(const data::fields::StreamReport& report) {
  std::string text;
  for (const auto& line : report.mix) text += fmt::format("  {}, epoch 0: {}\n", report.config.name, line);
  return text;
}

ordered_json json_of(const data::fields::SharedReport& shared) {
  return {{"streams", {shared.first, shared.second}},
          {"samples", shared.samples ? ordered_json(*shared.samples) : ordered_json()}};
}

ordered_json resampled_json(const data::selection::StreamDraw& stream) {
  if (!stream.draw || !stream.counts) return nullptr;
  auto all = ordered_json::array();
  for (const auto& draw : data::selection::class_draws(*stream.counts))
    all.push_back({{"class", draw.name},
                   {"there", draw.there},
                   {"wanted", draw.wanted},
                   {"distinct", draw.distinct},
                   {"repeats", draw.repeats()},
                   {"most", draw.most},
                   {"effective", draw.effective}});
  return all;
}

ordered_json json_of(const data::fields::StreamReport& report) {
  const auto& stream = report.config;
  const auto optional = [](const auto& value) { return value ? ordered_json(*value) : ordered_json(); };
  return {{"name", stream.name},
          {"samples", optional(report.samples)},
          {"why", report.why},
          {"batch", optional(stream.batch)},
          {"global_batch", optional(stream.global_batch)},
          {"shuffle", config::word(stream.shuffle)},
          {"last", config::word(stream.last)},
          {"order", config::word(stream.order)},
          {"epochs", stream.epochs},
          {"mix", config::text_of(stream.mix)},
          {"within", config::word(stream.mix.within)},
          {"epoch_size", config::text_of(stream.mix.epoch_size)},
          {"classes", report.mix},
          {"resampled", resampled_json(report.draw)}};
}

/// Many fields that are alike but for the numbers in their names share a line.
std::string fields_text(const data::fields::ConfigReport& report, bool all) {
  std::vector<std::string> names, rest;
  for (const auto& field : report.fields) {
    const auto row = row_of(field);
    names.push_back(row[0]);
    rest.push_back(fmt::format("{}", fmt::join(std::vector{row[1], row[2], row[3], row[5]}, "\n")));
  }
  std::vector<Row> rows{{"field", "row shape", "type", "per sample", "source", "operations"}};
  std::string below;
  std::size_t left = 0;
  for (const auto& fold : folds_of(names, rest, all ? names.size() : few_lines)) {
    if (!all && rows.size() > few_lines) {
      left += fold.count;
      continue;
    }
    const auto& field = report.fields[fold.first];
    rows.push_back(row_of(field));
    rows.back()[0] = name_of(fold, names);
    below += columns_text(field) + notes_text(field);
  }
  if (left > 0) below += fmt::format("  ... and {} more fields; --all shows them\n", left);
  return "\nFields\n" + table(rows) + below;
}

}  // namespace

std::string as_table(const data::fields::ConfigReport& report, const RegimeView& regime, bool all) {
  auto text = fmt::format("{} file{}, {} samples, {} each as delivered\n", report.files.size(),
                          report.files.size() == 1 ? "" : "s", report.samples, size_text(report.sample_bytes()));
  text += fields_text(report, all);
  std::vector<Row> streams{{"stream", "samples", "batch", "shuffle", "last", "epochs", "selected"}};
  for (const auto& stream : report.streams) streams.push_back(row_of(stream));
  text += "\nStreams\n" + table(streams);
  for (const auto& stream : report.streams) text += mix_text(stream);
  for (const auto& shared : report.shared) text += text_of(shared);
  for (const auto& line : lines_of(regime)) text += "\n" + printable(line) + "\n";
  for (const auto& warning : report.warnings) text += "\nWarning: " + printable(warning) + "\n";
  return text;
}

std::string as_json(const data::fields::ConfigReport& report, const RegimeView& regime) {
  auto fields = ordered_json::array(), streams = ordered_json::array(), shared = ordered_json::array();
  for (const auto& field : report.fields) fields.push_back(json_of(field));
  for (const auto& stream : report.streams) streams.push_back(json_of(stream));
  for (const auto& pair : report.shared) shared.push_back(json_of(pair));
  const ordered_json all{{"files", report.files},
                         {"samples", report.samples},
                         {"sample_bytes", report.sample_bytes()},
                         {"fields", fields},
                         {"streams", streams},
                         {"shared", shared},
                         {"scratch", regime.scratch},
                         {"window", regime.window},
                         {"start", regime.early ? "early" : "loaded"},
                         {"early_windows", regime.early_windows},
                         {"warnings", report.warnings}};
  return all.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

int inspect_config(const config::Config& config, const ConfigOptions& options, std::ostream& out) {
  constexpr std::uint64_t quickly_read = 1 << 30;
  const auto report = report_on(config, options.count ? UINT64_MAX : quickly_read, options.plugins);
  const auto regime = regime_of(config, report);
  out << (options.json ? as_json(report, regime) : as_table(report, regime, options.all)) << std::flush;
  if (!options.plot.empty()) plot_resampling(config, report, options.plot);
  return 0;
}

}  // namespace headrace::commands::inspect
