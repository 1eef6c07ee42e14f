#include "commands/forecast/window_plot.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <variant>

#include "base/error.hpp"
#include "commands/forecast/windows_script.hpp"
#include "commands/picture.hpp"
#include "data/selection/reading.hpp"
#include "mpi/session.hpp"
#include "plan/epoch_order.hpp"
#include "plan/members.hpp"

namespace headrace::commands::forecast {

namespace {

using nlohmann::json;

constexpr std::uint64_t batches_drawn = 6;
constexpr std::uint64_t most_rows = 1 << 16;  // of a batch that is drawn
constexpr std::size_t most_classes = 20;
constexpr std::uint64_t samples_at_a_time = 1 << 20;

/// Reading is by MPI, in this process alone.
void begin_to_read(DataFacts& facts) {
  if (!facts.report.session) facts.report.session = std::make_shared<mpi::Session>();
}

reader::LoadOptions options_of(const config::Config& config) {
  return data::selection::load_options(config, data::selection::worker_count(config.threads, 1));
}

std::string plain_name(const std::string& label) {
  // "one_hot[3]" is column 3, as SampleColumns names it.
  const auto bracket = label.rfind('[');
  if (bracket == std::string::npos || !label.ends_with(']')) return label;
  return label.substr(0, bracket) + "." + label.substr(bracket + 1, label.size() - bracket - 2);
}

/// f(sample, value as a text, or "" where it is no class) for all samples, ascending.
void for_each_value(const config::Config& config, DataFacts& facts, const std::string& label,
                    const std::function<void(std::uint64_t, const std::string&)>& f) {
  begin_to_read(facts);
  data::selection::SampleColumns columns(facts.report.contents, facts.report.catalog);
  const auto column = columns.add(plain_name(label), "--label");
  for (std::uint64_t first = 0; first < facts.report.samples; first += samples_at_a_time) {
    const auto last = std::min(facts.report.samples, first + samples_at_a_time);
    const std::array<reader::Interval, 1> all{{{first, last}}};
    columns.read(mpi::Comm::self(), first, last, all, options_of(config));
    std::visit(
        [&](const auto& values) {
          using Value = typename std::decay_t<decltype(values)>::value_type;
          for (auto sample = first; sample < last; ++sample) {
            const auto& value = values[sample - first];
            if constexpr (std::is_same_v<Value, std::string>)
              f(sample, value);
            else
              f(sample, json(value).dump());
          }
        },
        columns.values(column));
  }
}

/// Samples of a stream by ordinal, where slices alone decide them.
plan::Selection members_of(const DataFacts& facts, std::size_t stream) {
  const auto& config = facts.report.streams[stream].config;
  const bool known = config.files.empty() && facts.report.streams[stream].why.empty();
  if (!known || config.select.empty()) return plan::Selection::all(facts.report.samples);
  return plan::Selection::parse(config.select, facts.report.samples);
}

struct Batch {
  std::string name;
  std::vector<std::int64_t> samples;
};

/// Some of epoch 0, and one of a global shuffle.
std::vector<Batch> batches_of(const config::Config& config, const DataFacts& facts, const StreamForecast& stream,
                              std::size_t number) {
  const auto members = members_of(facts, number);
  const auto n = stream.windows->size();
  const auto rows = std::min<std::uint64_t>({n, most_rows, std::uint64_t{stream.quality->facts.batch}});
  const auto key = plan::epoch_key(config.seed, stream.name, 0);
  const plan::WindowedOrder windowed(stream.windows, key);
  const auto batch = [&](const std::string& name, const auto& order, std::uint64_t first) {
    std::vector<std::uint64_t> ordinals(rows);
    order.evaluate(first, ordinals);
    std::ranges::sort(ordinals);
    Batch made{name, std::vector<std::int64_t>(rows)};
    members.samples(ordinals, made.samples);
    return made;
  };
  std::vector<Batch> all{batch("global shuffle", plan::Permutation(n, key), 0)};
  const auto steps = std::max<std::uint64_t>(1, n / stream.quality->facts.batch);
  for (std::uint64_t i = 0; i < std::min(batches_drawn, steps); ++i) {
    const auto step = steps * i / std::min(batches_drawn, steps);
    all.push_back(
        batch("step " + std::to_string(step), windowed, std::min(step * stream.quality->facts.batch, n - rows)));
  }
  return all;
}

/// Of each batch how many of its samples are of each class; and their shares of all.
json classes_of(const config::Config& config, DataFacts& facts, const std::string& label,
                const std::vector<Batch>& batches) {
  std::map<std::string, std::uint64_t> all;
  std::vector<std::map<std::string, std::uint64_t>> of_batches(batches.size());
  std::vector<std::size_t> next(batches.size());
  for_each_value(config, facts, label, [&](std::uint64_t sample, const std::string& value) {
    if (++all[value]; all.size() > 100 * most_classes)
      throw UsageError("--label " + label + " has more than " + std::to_string(100 * most_classes) +
                       " values; name one that has few, as classes do");
    for (std::size_t b = 0; b < batches.size(); ++b)
      if (next[b] < batches[b].samples.size() && batches[b].samples[next[b]] == static_cast<std::int64_t>(sample)) {
        ++of_batches[b][value];
        ++next[b];
      }
  });
  std::vector<std::pair<std::uint64_t, std::string>> by_size;
  for (const auto& [value, count] : all) by_size.emplace_back(count, value);
  std::ranges::stable_sort(by_size, [](const auto& a, const auto& b) { return a.first > b.first; });
  if (by_size.size() > most_classes) by_size.resize(most_classes);
  std::ranges::sort(by_size, {}, [](const auto& one) { return std::pair{one.second.size(), one.second}; });
  json told{{"label", label}, {"names", json::array()}, {"shares", json::array()}, {"counts", json::array()}};
  for (const auto& [count, value] : by_size) {
    told["names"].push_back(value);
    told["shares"].push_back(static_cast<double>(count) / static_cast<double>(facts.report.samples));
  }
  for (const auto& of_batch : of_batches) {
    auto counts = json::array();
    for (const auto& [count, value] : by_size) {
      const auto found = of_batch.find(value);
      counts.push_back(found == of_batch.end() ? 0 : found->second);
    }
    told["counts"].push_back(std::move(counts));
  }
  return told;
}

}  // namespace

void look_at_label(const config::Config& config, DataFacts& facts, const std::string& label, Forecast& result) {
  if (std::ranges::none_of(result.streams, [](const auto& stream) { return stream.quality.has_value(); }))
    throw UsageError(
        "--label tells how windows mix it, and no stream is shuffled in windows; set window (smaller), or "
        "drop --label");
  begin_to_read(facts);
  const auto name = plain_name(label);
  const std::array<plan::Slab, 1> all{{{0, facts.report.samples}}};
  std::vector<service::blueprint::Runs> runs;
  for (const auto& stream : result.streams)
    if (stream.quality && stream.members)
      runs.push_back([members = plan::Members(*stream.members, all)](std::uint64_t first, std::uint64_t last,
                                                                     const service::blueprint::Run& f) {
        members.runs(0, first, last, [&](std::uint64_t begin, std::uint64_t count) { f(begin, count, 1); });
      });
  const auto sums =
      service::blueprint::sum_blocks(facts.report.contents, facts.report.catalog, {name}, facts.blocks,
                                     {0, facts.blocks.size()}, runs, mpi::Comm::self(), options_of(config));
  std::size_t summed = 0;
  for (auto& stream : result.streams) {
    if (!stream.quality) continue;
    if (stream.members)
      service::blueprint::add_columns(sums[summed++], *stream.windows, *stream.quality);
    else
      service::blueprint::leave_out_column(name, *stream.quality);
  }
}

void plot_windows(const config::Config& config, DataFacts& facts, const std::string& label, const Forecast& result,
                  const std::string& path) {
  auto streams = json::array();
  for (std::size_t s = 0; s < result.streams.size(); ++s) {
    const auto& stream = result.streams[s];
    if (!stream.quality) continue;
    const auto batches = batches_of(config, facts, stream, s);
    auto told = json::array();
    for (const auto& batch : batches) told.push_back({{"name", batch.name}, {"samples", batch.samples}});
    streams.push_back({{"name", stream.name},
                       {"windows", stream.windows->count()},
                       {"blocks", stream.windows->blocks_a_window()},
                       {"batches", std::move(told)},
                       {"classes", label.empty() ? json() : classes_of(config, facts, label, batches)}});
  }
  if (streams.empty())
    throw UsageError("--plot draws batches of streams in windows, and none is shuffled so; set window (smaller)");
  auto files = json::array();
  for (const auto& file : facts.report.catalog.files) files.push_back(file.first_sample);
  const json told{{"samples", facts.report.samples}, {"files", std::move(files)}, {"streams", std::move(streams)}};
  draw_picture(windows_script, told.dump(-1, ' ', false, json::error_handler_t::replace), path);
}

}  // namespace headrace::commands::forecast
