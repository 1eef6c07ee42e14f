#include "commands/stats/entries.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "transform/label_map.hpp"

namespace headrace::commands::stats {

namespace {

using transform::ColumnSpec;
using transform::Moments;

/// The value that log and tanh-log turn into the mean. tanh(log(1 + x) / 2) is x / (x + 2) for positive x.
double before_steps(const ColumnSpec& column, double mean) {
  if (column.tanh_log) mean = 2 * mean / (1 - std::fabs(mean));
  return column.log ? std::exp(mean) : mean;
}

/// What float64 rounds integers of this size to: multiples of it; 0 where it holds all of them.
double rounding_of(const ColumnSpec& column, const Moments& moments) {
  const bool integer = column.cell.dtype == DType::int64 || column.cell.dtype == DType::uint64;
  if (!integer || column.cf || column.log || column.tanh_log || moments.count == 0) return 0;
  const double size = std::max(std::fabs(moments.least), std::fabs(moments.greatest));
  const double step = std::nextafter(size, HUGE_VAL) - size;
  return step > 1 ? step : 0;
}

/// The entry's numbers; a deviation that float64 cannot hold is nobody's statistics.
nlohmann::ordered_json entry_of(const config::FieldConfig& config, const ColumnSpec& column, bool raw,
                                const Moments& moments, bool spread, double deviation) {
  const bool any = moments.count > 0;
  nlohmann::ordered_json entry{{"mean", moments.mean},
                               {"std", deviation},
                               {"min", any ? moments.least : 0},
                               {"max", any ? moments.greatest : 0}};
  if (config.plugin.empty()) entry["default"] = before_steps(column, moments.mean);
  if (raw || config.norm == config::Norm::tanh_log) return entry;
  const bool minmax = config.norm == config::Norm::minmax;
  entry["shift"] = entry[minmax ? "min" : "mean"];
  entry["scale"] = !minmax ? deviation : spread ? moments.greatest - moments.least : 1.0;
  return entry;
}

}  // namespace

void ScaleEntries::put(const config::FieldConfig& config, const std::string& dataset, const std::string& variable,
                       const ColumnSpec& column, bool raw, const Moments& moments) {
  const auto name = variable.empty() ? dataset : dataset + "." + variable;
  const bool spread = moments.count > 0 && moments.least < moments.greatest && moments.deviation() > 0;
  const double deviation = spread ? moments.deviation() : 1;
  if (moments.count == 0)
    warnings_.push_back("'" + name + "' has no finite value among the samples; mean 0 and std 1 are written");
  else if (!spread)
    warnings_.push_back("'" + name + "' is the same everywhere (" + nlohmann::json(moments.mean).dump() +
                        "); std and scale 1 are written");
  constexpr double least_steps = 1000;  // of the rounding, for three digits
  if (const double step = rounding_of(column, moments); step > 0 && moments.deviation() < least_steps * step)
    warnings_.push_back(
        fmt::format("'{}' holds integers beyond 2^53, which float64 rounds to multiples of {}: mean and std "
                    "have few right digits, or none; give a shift and a scale of your own instead",
                    name, step));
  require(std::isfinite(moments.mean) && std::isfinite(deviation),
          "'" + name + "' spreads beyond what float64 can hold; leave it out, or take its logarithm with log");
  auto entry = entry_of(config, column, raw, moments, spread, deviation);
  auto& place = variable.empty() ? json_[dataset] : json_[dataset][variable];
  const auto [giver, fresh] = givers_.try_emplace(name, config.name);
  if (!fresh)
    for (const auto& [key, value] : entry.items())
      if (place.contains(key) && place[key] != value)
        throw UsageError("fields '" + giver->second + "' and '" + config.name + "' need different numbers of '" + name +
                         "' (their operations differ); give each a scale-file of its own");
  place.update(entry);
  if (fresh) lines_.push_back({name, moments, deviation});
}

void ScaleEntries::add(const config::FieldConfig& config, const data::fields::FieldPlan& plan,
                       const std::vector<transform::ItemStatistics>& items) {
  Moments whole;
  const ColumnSpec* any = nullptr;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& spec = plan.spec().items[i];
    if (spec.constant) continue;
    auto columns = items[i].columns;
    columns.resize(spec.columns.size());  // of no samples
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto& column = spec.columns[c];
      const bool raw = column.raw;
      if (config.norm_over == config::NormOver::field) {
        if (raw) continue;
        whole.merge(columns[c]);
        any = &column;
      } else {
        const auto number = spec.columns.size() > 1 ? std::to_string(c) : std::string();
        put(config, spec.dataset, column.name.empty() ? number : column.name, column, raw, columns[c]);
      }
    }
  }
  if (any) put(config, config.name, "", *any, false, whole);
}

std::vector<std::pair<std::string, std::uint64_t>> class_counts(const data::fields::FieldPlan& plan,
                                                                const transform::ItemStatistics& labels) {
  const auto& map = *plan.spec().labels;
  const bool number = plan.spec().items[0].columns[0].cell.kind == transform::CellKind::number;
  const auto code_of = [&](const std::string& value) -> std::optional<std::uint32_t> {
    if (!number) return map.code(value);
    const auto whole = transform::whole_number(value);
    return whole ? map.code(*whole) : std::nullopt;
  };
  std::vector<std::pair<std::string, std::uint64_t>> counts;
  for (const auto& one : map.classes()) counts.emplace_back(one.name, 0);
  for (const auto& [value, count] : labels.labels)
    if (const auto code = code_of(value))
      counts[*code].second += count;
    else
      counts.emplace_back("value " + printable(value) + " (no class)", count);
  return counts;
}

}  // namespace headrace::commands::stats
