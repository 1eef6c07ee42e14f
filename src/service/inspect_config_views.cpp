// The two faces of a configuration's report.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/printable.hpp"
#include "h5/dataset.hpp"
#include "service/inspect_config.hpp"

namespace headrace::service {

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

Row row_of(const FieldReport& report) {
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

std::string columns_text(const FieldReport& report) {
  if (report.field.columns.empty()) return "";
  return printable(fmt::format("  {}: columns {}", report.field.name, fmt::join(report.field.columns, ", "))) + "\n";
}

std::string batch_text(const StreamConfig& stream) {
  return stream.batch ? fmt::format("{} a trainer", *stream.batch) : fmt::format("{} of all", *stream.global_batch);
}

std::string selected_text(const StreamConfig& stream) {
  Row parts;
  if (!stream.files.empty()) parts.push_back(fmt::format("files {}", fmt::join(stream.files, ", ")));
  if (!stream.select.empty()) parts.push_back("select " + stream.select);
  if (!stream.select_file.empty()) parts.push_back(fmt::format("'{}' by {}", stream.select_file, stream.select_by));
  if (!stream.where.empty()) parts.push_back("where " + stream.where);
  return fmt::format("{}", fmt::join(parts, "; "));
}

Row row_of(const StreamReport& report) {
  const auto& stream = report.config;
  return {
      stream.name,
      report.samples ? std::to_string(*report.samples) : "counted when served (" + report.why + "), or with --count",
      batch_text(stream),
      std::string(word(stream.shuffle)),
      std::string(word(stream.last)),
      stream.epochs ? std::to_string(stream.epochs) : "endless",
      selected_text(stream)};
}

ordered_json json_of(const FieldReport& report) {
  const auto& field = report.field;
  return {{"name", field.name},       {"source", report.source},       {"operations", report.operations},
          {"shape", field.shape},     {"dtype", name_of(field.dtype)}, {"bytes", field.row_bytes()},
          {"columns", field.columns}, {"classes", field.classes},      {"unknown", report.unknown}};
}

ordered_json json_of(const StreamReport& report) {
  const auto& stream = report.config;
  const auto optional = [](const auto& value) { return value ? ordered_json(*value) : ordered_json(); };
  return {{"name", stream.name},
          {"samples", optional(report.samples)},
          {"why", report.why},
          {"batch", optional(stream.batch)},
          {"global_batch", optional(stream.global_batch)},
          {"shuffle", word(stream.shuffle)},
          {"last", word(stream.last)},
          {"order", word(stream.order)},
          {"epochs", stream.epochs}};
}

}  // namespace

std::string as_table(const ConfigReport& report) {
  auto text = fmt::format("{} file{}, {} samples, {} each as delivered\n", report.files.size(),
                          report.files.size() == 1 ? "" : "s", report.samples, size_text(report.sample_bytes()));
  std::vector<Row> fields{{"field", "row shape", "type", "per sample", "source", "operations"}};
  for (const auto& field : report.fields) fields.push_back(row_of(field));
  text += "\nFields\n" + table(fields);
  for (const auto& field : report.fields) text += columns_text(field);
  for (const auto& field : report.fields)
    for (const auto& note : field.notes) text += fmt::format("  {}: {}\n", printable(field.field.name), note);
  std::vector<Row> streams{{"stream", "samples", "batch", "shuffle", "last", "epochs", "selected"}};
  for (const auto& stream : report.streams) streams.push_back(row_of(stream));
  text += "\nStreams\n" + table(streams);
  for (const auto& warning : report.warnings) text += "\nWarning: " + printable(warning) + "\n";
  return text;
}

std::string as_json(const ConfigReport& report) {
  auto fields = ordered_json::array(), streams = ordered_json::array();
  for (const auto& field : report.fields) fields.push_back(json_of(field));
  for (const auto& stream : report.streams) streams.push_back(json_of(stream));
  const ordered_json all{{"files", report.files}, {"samples", report.samples}, {"sample_bytes", report.sample_bytes()},
                         {"fields", fields},      {"streams", streams},        {"warnings", report.warnings}};
  return all.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace headrace::service
