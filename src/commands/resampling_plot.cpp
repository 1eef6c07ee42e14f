#include "commands/resampling_plot.hpp"

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "commands/picture.hpp"
#include "commands/resampling_script.hpp"

namespace headrace::commands {

namespace {

using nlohmann::json;

/// Of each class, how many of its samples are in each bin of one variable.
json along(const data::selection::BinCounts& counts, const std::vector<std::uint64_t>& of_cells, std::size_t axis) {
  auto all = json::array();
  for (std::size_t c = 0; c < counts.classes.size(); ++c) {
    std::vector<std::uint64_t> sums(counts.bins.bins_of(axis));
    for (std::uint32_t b = 0; b < counts.bins.size(); ++b)
      sums[counts.bins.along(axis, b)] += of_cells[c * counts.bins.size() + b];
    all.push_back(sums);
  }
  return all;
}

json json_of(const std::string& stream, const data::selection::BinCounts& counts) {
  auto variables = json::array();
  for (std::size_t a = 0; a < counts.bins.axes().size(); ++a)
    variables.push_back({{"name", data::selection::name_of(counts.bins.axes()[a])},
                         {"edges", counts.bins.axes()[a].edges},
                         {"before", along(counts, counts.there, a)},
                         {"after", along(counts, counts.wanted, a)}});
  return {{"name", stream}, {"classes", counts.classes}, {"variables", std::move(variables)}};
}

}  // namespace

void plot_resampling(const config::Config& config, const data::fields::ConfigReport& report, const std::string& path) {
  auto streams = json::array();
  for (const auto& stream : report.streams)
    if (stream.draw.counts) streams.push_back(json_of(stream.config.name, *stream.draw.counts));
  if (streams.empty())
    throw UsageError(
        "--plot draws what [resample] does, and no stream is resampled; write that section, or name a sample");
  const json told{{"target", config.resample.target}, {"streams", std::move(streams)}};
  draw_picture(resampling_script, told.dump(-1, ' ', false, json::error_handler_t::replace), path);
}

}  // namespace headrace::commands
