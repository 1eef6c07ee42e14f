#include "service/blueprint/window_quality.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

namespace headrace::service::blueprint {

namespace {

constexpr double a_class = 0.1;       // of the samples
constexpr double too_much = 1.5;      // design effect that is worth a warning
constexpr double hardly = 0.01;       // share between blocks that is not worth a line
constexpr std::size_t most_told = 4;  // columns

}  // namespace

WindowQuality quality_of(const StreamFacts& stream, std::uint64_t batch) {
  const auto& windows = *stream.windows;
  const plan::WindowFacts facts{.samples = windows.size(),
                                .block_rows = static_cast<double>(windows.size()) /
                                              static_cast<double>(std::max<std::size_t>(1, windows.filled().size())),
                                .windows = windows.count(),
                                .blocks = windows.blocks_a_window(),
                                .batch = batch};
  return {
      facts, plan::neighbours_ratio(facts), plan::total_variation(facts), plan::design_effect_if_sorted(facts, a_class),
      {},    stream.windows_at_start};
}

void add_columns(const std::vector<BlockSums>& sums, const plan::Windows& windows, WindowQuality& quality) {
  for (const auto& column : sums) {
    const auto mixing = mixing_of(column, windows);
    if (mixing.told)
      quality.columns.push_back(
          {mixing.name, mixing.between, mixing.within, plan::design_effect(quality.facts, mixing.within)});
    else
      quality.columns.push_back({.name = mixing.name, .untold = "its values are too large to reckon with"});
  }
  std::ranges::stable_sort(quality.columns, std::greater<>(), &WindowQuality::Column::effect);
}

void leave_out_column(const std::string& name, WindowQuality& quality) {
  quality.columns.push_back(
      {.name = name,
       .untold = "which samples the stream has is only known where they are read; the service says it at its start"});
}

std::vector<std::string> lines_of(const WindowQuality& quality) {
  const auto& facts = quality.facts;
  std::vector<std::string> lines{
      fmt::format("{}shuffled in {} windows of {} blocks, {:.0f} samples each on average",
                  quality.at_start ? "epoch 0: " : "", facts.windows, facts.blocks, facts.window_samples()),
      fmt::format("against a global shuffle: neighbours in the files meet in a batch {:.1f} times as often; numbers of "
                  "samples of a block in it differ by {:.4f} (total variation; 0: not at all)",
                  quality.neighbours, quality.distance),
      fmt::format("in sorted files, the number of a class of {:.0f} % in a batch varies {:.2f} times as much at most "
                  "(design effect)",
                  100 * a_class, quality.sorted)};
  std::size_t told = 0;
  for (const auto& column : quality.columns)
    if (!column.untold.empty() && told < most_told) {
      ++told;
      lines.push_back(fmt::format("{}: how windows mix it cannot be told: {}", column.name, column.untold));
    } else if (column.between > hardly && told++ < most_told)
      lines.push_back(
          fmt::format("{}: files are {}sorted by it (blocks explain {:.1f} % of its variance), windows {} "
                      "(design effect {:.2f})",
                      column.name, column.between > 0.5 ? "" : "in part ", 100 * column.between,
                      column.effect > too_much ? "are, too" : "are not", column.effect));
  return lines;
}

std::vector<std::string> warnings_of(const std::string& stream, const WindowQuality& quality) {
  std::vector<std::string> warnings;
  for (const auto& column : quality.columns)
    if (column.effect > too_much && warnings.size() < most_told)
      warnings.push_back(fmt::format(
          "stream {}: means of {} over a batch{} vary {:.1f} times as much as in a global shuffle (design effect), as "
          "files are sorted by it within {} blocks; choose {}",
          stream, column.name, quality.at_start ? " of epoch 0" : "", column.effect, quality.facts.windows,
          quality.at_start
              ? "smaller blocks (block), shuffle the files, or leave start = early out"
              : "a larger window or smaller blocks (block), shuffle the files, or name scratch instead of window"));
  return warnings;
}

nlohmann::json json_of(const WindowQuality& quality) {
  auto columns = nlohmann::json::object();
  for (const auto& column : quality.columns)
    if (column.untold.empty())
      columns[column.name] = {
          {"between_blocks", column.between}, {"within_runs", column.within}, {"design_effect", column.effect}};
    else
      columns[column.name] = nullptr;
  return {{"windows", quality.facts.windows},        {"only_epoch_0", quality.at_start},
          {"blocks_a_window", quality.facts.blocks}, {"samples_a_window", quality.facts.window_samples()},
          {"neighbours", quality.neighbours},        {"total_variation", quality.distance},
          {"sorted_design_effect", quality.sorted},  {"columns", std::move(columns)}};
}

}  // namespace headrace::service::blueprint
