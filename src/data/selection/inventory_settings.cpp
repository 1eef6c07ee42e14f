#include "data/selection/inventory_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "config/source_item.hpp"
#include "config/value.hpp"
#include "inventory/scan.hpp"

namespace headrace::data::selection {

namespace {

using config::FieldConfig;
using inventory::Table;

/// By its name, else by its number.
std::optional<std::size_t> column_of(const Table& table, const std::string& name) {
  const auto& all = table.columns();
  const auto at = std::find(all.begin(), all.end(), name);
  if (at != all.end()) return static_cast<std::size_t>(at - all.begin());
  std::size_t number = 0;
  const auto [rest, status] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = status == std::errc{} && rest == name.data() + name.size();
  return whole && number < all.size() ? std::optional(number) : std::nullopt;
}

struct Taken {
  std::vector<std::size_t> columns;
  bool named = true;  ///< else the table is taken as a whole, of which texts are no part
};

Taken columns_of(const Table& table, const std::string& text) {
  Taken taken;
  const auto add = [&](const std::string& name) {
    if (const auto column = column_of(table, name)) taken.columns.push_back(*column);
  };
  try {
    const auto item = config::SourceItem::parse(text);
    const auto begin = std::string(inventory::table_dataset) + ".";
    if (item.path.starts_with(begin)) {
      add(item.path.substr(begin.size()));
    } else if (item.path == inventory::table_dataset) {
      taken.named = item.bracketed;
      for (const auto& name : item.bracketed ? item.columns : table.columns()) add(name);
    }
  } catch (const UsageError&) {
    return {};  // which is told where fields are resolved
  }
  return taken;
}

/// A plugin makes numbers of anything, and encode codes of texts.
bool wants_numbers(const FieldConfig& field) {
  const bool floats = field.dtype == DType::float16 || field.dtype == DType::bfloat16 ||
                      field.dtype == DType::float32 || field.dtype == DType::float64;
  const bool computed = !field.scale.empty() || !field.shift.empty() || !field.scale_file.empty() ||
                        field.norm != config::Norm::none || !field.log.empty();
  return (floats || computed) && field.plugin.empty();
}

using Found = std::function<void(const FieldConfig&, const Table&, std::size_t column, bool named)>;

/// Each column of texts that a field without encode takes.
void for_each_text(const config::Config& config, const catalog::Contents& contents, const Found& f) {
  const auto* source = inventory::source_in(contents);
  if (source == nullptr) return;
  const auto& table = source->inventory().table;
  for (const auto& field : config.fields) {
    if (field.encode != config::Encode::none) continue;
    for (const auto& text : field.source) {
      const auto taken = columns_of(table, text);
      for (const auto column : taken.columns)
        if (table.kind(column) == inventory::ColumnKind::text) f(field, table, column, taken.named);
    }
  }
}

std::string cell(const Table& table, std::size_t column, std::size_t row) {
  constexpr std::size_t most = 40;
  const auto text = table.at(row, column);
  return fmt::format("line {} of {} holds '{}'", table.line_of(row), table.path(),
                     text.size() > most ? printable(text.substr(0, most)) + "..." : printable(text));
}

}  // namespace

inventory::Settings inventory_settings(const config::Config& config) {
  const auto& from = config.inventory;
  inventory::Settings settings{.csv = from.csv,
                               .id = from.id,
                               .path = from.path,
                               .skip_missing = from.missing == config::MissingFiles::skip,
                               .readers = from.readers,
                               .workers = from.workers};
  settings.fetch.connections = config.fetch.connections;
  settings.fetch.retries = config.fetch.retries;
  settings.fetch.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(config.fetch.timeout * 1000));
  settings.fetch.headers = config.fetch.headers;
  settings.decoder_timeout = std::chrono::milliseconds(from.decoder_timeout);
  settings.checksum = config.fetch.checksum;
  if (!from.python.empty()) settings.python = from.python;
  for (const auto& field : config.fields)
    if (!field.decoder.empty() &&
        std::find(settings.decoders.begin(), settings.decoders.end(), field.decoder) == settings.decoders.end())
      settings.decoders.push_back(field.decoder);
  return settings;
}

void require_numbers(const config::Config& config, const catalog::Contents& contents) {
  config::Mistakes mistakes;
  for_each_text(config, contents, [&](const FieldConfig& field, const Table& table, std::size_t column, bool named) {
    if (!named || !wants_numbers(field)) return;
    const auto begin = fmt::format("[field.{}] its keys are for numbers, and ", field.name);
    const auto name = printable(table.columns()[column]);
    if (table.is_id(column))
      return mistakes.add(fmt::format("{}column '{}' holds the samples' ids, which are texts; give the numbers a "
                                      "column of their own",
                                      begin, name));
    const auto odd = table.odd_cell(column);
    if (!odd) return mistakes.add(fmt::format("{}column '{}' is empty; take another", begin, name));
    mistakes.add(
        fmt::format("{}column '{}' is one of texts ({}, which is no number that float64 or int64 holds); mend the "
                    "cell, leave it empty, or give the field an encode",
                    begin, name, cell(table, column, odd->row)));
  });
  mistakes.throw_if_any();
}

std::vector<std::string> warnings_of_table(const config::Config& config, const catalog::Contents& contents) {
  std::vector<std::string> warnings;
  for_each_text(config, contents, [&](const FieldConfig& field, const Table& table, std::size_t column, bool) {
    const auto odd = table.odd_cell(column);
    if (!odd || odd->numbers * 2 <= odd->filled) return;
    warnings.push_back(fmt::format(
        "[field.{}] column '{}' is taken as texts ({}; {} of its {} values are numbers); mend the cell, or leave it "
        "empty",
        field.name, printable(table.columns()[column]), cell(table, column, odd->row), odd->numbers, odd->filled));
  });
  return warnings;
}

}  // namespace headrace::data::selection
