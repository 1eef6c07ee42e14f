// From sums to the entries of a scale file. Pure; see stats.hpp for the form.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "commands/stats/measure.hpp"
#include "config/config.hpp"

namespace headrace::commands::stats {

/// A variable, as people read of it.
struct StatsLine {
  std::string name;  ///< "jets.pt"
  transform::Moments moments;
  double deviation = 0;  ///< as written: 1 where there is no spread
};

/// One scale file in the making.
class ScaleEntries {
 public:
  /// Adds a field's variables. Throws UsageError where another field has given the same variable other numbers.
  void add(const config::FieldConfig& config, const data::fields::FieldPlan& plan,
           const std::vector<transform::ItemStatistics>& items);

  const nlohmann::ordered_json& json() const { return json_; }
  const std::vector<StatsLine>& lines() const { return lines_; }
  /// What should not pass in silence: variables without a spread, or without values.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  void put(const config::FieldConfig& config, const std::string& dataset, const std::string& variable,
           const transform::ColumnSpec& column, bool raw, const transform::Moments& moments);

  nlohmann::ordered_json json_ = nlohmann::ordered_json::object();
  std::map<std::string, std::string> givers_;  // variable -> field
  std::vector<StatsLine> lines_;
  std::vector<std::string> warnings_;
};

/// How often each class of a label occurs, in the order of the classes; values that belong to none come last, under
/// "value VALUE (no class)".
std::vector<std::pair<std::string, std::uint64_t>> class_counts(const data::fields::FieldPlan& plan,
                                                                const transform::ItemStatistics& labels);

}  // namespace headrace::commands::stats
