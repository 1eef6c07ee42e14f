#include "commands/forecast/forecast.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "base/error.hpp"
#include "commands/forecast/windows.hpp"
#include "config/source_item.hpp"
#include "config/window_values.hpp"
#include "exchange/answer.hpp"
#include "exchange/engine.hpp"
#include "service/blueprint/blocks.hpp"
#include "service/blueprint/residence.hpp"

namespace headrace::commands::forecast {

namespace {

std::vector<std::uint64_t> even(std::uint64_t samples, std::uint32_t stagers) {
  std::vector<std::uint64_t> first;
  for (std::uint64_t s = 0; s <= stagers; ++s) first.push_back(samples / stagers * s + samples % stagers * s / stagers);
  return first;
}

/// The selection, where slices alone decide it; nothing where files, lists, parts or conditions do.
std::optional<plan::Selection> selection_of(const data::fields::StreamReport& stream, std::uint64_t samples) {
  const bool by_data = !stream.why.empty();  // perhaps their number was counted, but not which they are
  if (!stream.samples || by_data || !stream.config.files.empty() || !stream.mix.empty()) return std::nullopt;
  if (stream.config.select.empty()) return plan::Selection::all(samples);
  return plan::Selection::parse(stream.config.select, samples);
}

/// Samples of a stream that only the data know, as well as can be said.
std::uint64_t guess(const config::Config& config, const data::fields::StreamReport& stream, std::uint64_t samples) {
  if (stream.samples) return *stream.samples;
  for (const auto& part : config.split)
    if (part.name == stream.config.select)
      return static_cast<std::uint64_t>(part.fraction * static_cast<double>(samples));
  return samples;
}

Layout lay_out(const config::Config& config, const DataFacts& facts, const plan::Machine& machine, Forecast& result) {
  Layout layout;
  auto& selections = layout.selections;
  std::vector<plan::Selection> known;
  for (const auto& stream : facts.report.streams) {
    selections.push_back(selection_of(stream, facts.report.samples));
    known.push_back(selections.back().value_or(plan::Selection::all(facts.report.samples)));
  }
  const auto stored = plan::Selection::unite(known);
  const auto slabs =
      plan::divide(facts.report.samples, stored, facts.chunk_rows, std::vector<double>(machine.stagers(), 1.0));
  layout.samples = facts.report.samples;
  layout.stored = stored;
  for (const auto& slab : slabs)
    layout.rows.push_back(stored.lower_bound({slab.last}).value - stored.lower_bound({slab.first}).value);
  for (std::size_t s = 0; s < selections.size(); ++s) {
    const auto& stream = facts.report.streams[s];
    auto& forecast = result.streams.emplace_back();
    forecast.name = stream.config.name;
    forecast.brings = stream.mix;
    if (!selections[s]) {
      forecast.samples = guess(config, stream, facts.report.samples);
      forecast.note = (stream.draw.draw      ? "resample"
                       : !stream.mix.empty() ? "mix"
                       : stream.why.empty()  ? "files"
                                             : stream.why) +
                      " decides which; taken as spread evenly";
      layout.first_ordinals.push_back(even(forecast.samples, machine.stagers()));
      continue;
    }
    forecast.members = selections[s];
    forecast.samples = selections[s]->size();
    auto& first = layout.first_ordinals.emplace_back();
    for (const auto& slab : slabs) first.push_back(selections[s]->lower_bound({slab.first}).value);
    first.push_back(forecast.samples);
  }
  return layout;
}

/// What fields, streams and trainers there are: all that memory depends on.
service::blueprint::Blueprint sketch(const config::Config& config, const DataFacts& facts, const plan::Machine& machine,
                                     const std::vector<StreamForecast>& streams) {
  service::blueprint::Blueprint blueprint;
  for (const auto& field : facts.report.fields) blueprint.schema.push_back(field.field);
  blueprint.trainers = machine.trainers();
  for (std::size_t s = 0; s < streams.size(); ++s) {
    const auto& stream = config.streams[s];
    blueprint.streams.push_back({stream.name, streams[s].samples, stream.batch, stream.global_batch, stream.shuffle,
                                 stream.last, stream.epochs});
    blueprint.streams.back().draw = facts.report.streams[s].draw.draw;
  }
  return blueprint;
}

/// Of a node whose disk takes what its memory does not.
service::blueprint::Need need_with_disk(const config::Config& config, const service::blueprint::Blueprint& blueprint,
                                        std::span<const std::uint64_t> rows, std::size_t nodes, std::uint64_t fixed) {
  auto room = config.memory - std::min(config.memory, fixed);
  for (const auto count : rows)
    room -= std::min(room, service::blueprint::scratch_buffer_bytes(blueprint.schema, count, rows.size()));
  const auto in_memory = service::blueprint::rows_in_memory(blueprint.schema, rows, room);
  std::vector<std::uint64_t> on_disk(rows.begin(), rows.end());
  for (std::size_t s = 0; s < on_disk.size(); ++s) on_disk[s] -= in_memory[s];
  return service::blueprint::need_of_node(config, blueprint, in_memory, nodes, on_disk);
}

/// blocks: that windows may be made of.
void weigh(const config::Config& config, const service::blueprint::Blueprint& blueprint, const Layout& layout,
           std::uint64_t blocks, Forecast& result) {
  const auto per_node = result.machine.stagers_per_node;
  const auto beside =
      service::blueprint::draw_bytes_of_node(blueprint, layout.samples / result.machine.nodes, per_node) +
      service::blueprint::table_bytes_of_node(blocks, blueprint.streams.size(), per_node);
  const auto weigh_nodes = [&](const auto& need_of) {
    for (std::uint32_t node = 0; node < result.machine.nodes; ++node) {
      auto need = need_of(std::span<const std::uint64_t>(layout.rows).subspan(node * per_node, per_node));
      need.buffers += beside;
      if (node == 0 || need.total() > result.need.total()) result.need = need;
    }
  };
  weigh_nodes(
      [&](auto rows) { return service::blueprint::need_of_node(config, blueprint, rows, result.machine.nodes); });
  result.memory = config.memory;
  if (config.memory == 0) return;
  result.resident = result.need.total() <= config.memory;
  const auto fixed = result.need.rings + result.need.buffers;
  if (!result.resident && !config.scratch.empty()) {
    result.scratch = config.scratch;
    weigh_nodes([&](auto rows) { return need_with_disk(config, blueprint, rows, result.machine.nodes, fixed); });
    result.on_disk = result.need.total() <= config.memory;
  }
  if (fixed >= config.memory) return;
  const auto room = config.memory - fixed;
  const auto nodes = (result.stored * result.row_bytes + room - 1) / room;
  result.enough = static_cast<std::uint32_t>(std::min<std::uint64_t>(nodes, std::numeric_limits<std::uint32_t>::max()));
}

/// How many steps are in flight at one time; fewer where they are so large that planning them would take long.
std::uint64_t window(std::uint64_t slots, const plan::Schedule& schedule) {
  constexpr std::uint64_t most_rows = 1 << 25;
  const auto global = std::max<std::uint64_t>(1, std::uint64_t{schedule.batch()} * schedule.trainers());
  return std::min<std::uint64_t>(schedule.steps(), std::clamp<std::uint64_t>(most_rows / global, 1, slots));
}

void limit(const Rates& rates, const Forecast& result, double file_of_row, std::uint32_t nodes,
           StreamForecast& stream) {
  const auto add = [&](const char* name, double rate, double bytes_per_delivered) {
    if (rate > 0 && bytes_per_delivered > 0) stream.limits.push_back({name, rate / bytes_per_delivered});
  };
  // Trainers go in step: the node that is asked for most holds up all.
  const double uneven = stream.balance_nodes();
  add("NIC", rates.nic, stream.remote_share() * uneven);
  add("memory", rates.memory, uneven);
  add("scratch", rates.scratch, result.disk_share() * uneven);
  if (stream.from_files) {
    add("disk", rates.disk, file_of_row);
    add("file system", rates.disk_total, file_of_row * nodes);
  }
  std::sort(stream.limits.begin(), stream.limits.end(), [](const Limit& a, const Limit& b) { return a.rate < b.rate; });
}

void time_start(const DataFacts& facts, const Rates& rates, Forecast& result) {
  result.load_bytes = facts.file_bytes_a_sample * static_cast<double>(result.stored);
  const double of_node = rates.disk > 0 ? result.load_bytes / result.machine.nodes / rates.disk : 0;
  const double of_all = rates.disk_total > 0 ? result.load_bytes / rates.disk_total : 0;
  if (of_node > 0 || of_all > 0) {
    result.load_s = std::max(of_node, of_all);
    result.load_by = of_node >= of_all ? "disk" : "file system";
  }
  if (result.load_s && result.early_windows > 1) result.first_window_s = *result.load_s / result.early_windows;
  const auto& first = result.streams.front();
  if (const auto* bottleneck = first.bottleneck()) result.first_s = first.delivered() / bottleneck->rate;
}

}  // namespace

DataFacts facts_of_files(const config::Config& config, std::uint64_t most_bytes) {
  DataFacts facts{.report = data::fields::report_on(config, most_bytes)};
  std::set<std::string>
      named;  // what could be the name of a dataset in the sources: looked up, as files hold thousands
  for (const auto& field : facts.report.fields)
    for (const auto& text : field.source) {
      const auto item = config::SourceItem::parse(text);
      named.insert({item.whole, item.path});
      for (const auto dot : item.dots) named.insert(item.path.substr(0, dot));
    }
  // Files may be empty, or compress better than others.
  struct Sum {
    std::uint64_t bytes = 0, rows = 0;
  };
  std::map<std::string, Sum> sums;
  for (const auto& file : facts.report.contents)
    for (const auto& dataset : file.datasets) {
      if (!named.contains(dataset.path) || dataset.rows() == 0) continue;
      if (!dataset.chunk.empty()) facts.chunk_rows = std::max(facts.chunk_rows, dataset.chunk.front());
      auto& sum = sums[dataset.path];
      sum.bytes += dataset.stored_bytes;
      sum.rows += dataset.rows();
    }
  for (const auto& [path, sum] : sums)
    facts.file_bytes_a_sample += static_cast<double>(sum.bytes) / static_cast<double>(sum.rows);
  if (config.in_blocks()) facts.blocks = service::blueprint::blocks_of(facts.report.catalog, config.block);
  return facts;
}

DataFacts facts_made_up(const config::Config& config, std::uint64_t samples, std::uint64_t row_bytes) {
  DataFacts facts{.file_bytes_a_sample = static_cast<double>(row_bytes)};
  facts.report.samples = samples;
  const std::array file{plan::FileRows{.samples = samples, .row_bytes = row_bytes}};
  if (config.in_blocks()) facts.blocks = service::blueprint::blocks_of(file, config.block);
  facts.report.fields.push_back({{"data", DType::uint8, {row_bytes}, {}, {}}, {"data"}, {}, {}});
  for (const auto& stream : config.streams) {
    auto& report = facts.report.streams.emplace_back(data::fields::StreamReport{.config = stream});
    const bool part = std::any_of(config.split.begin(), config.split.end(),
                                  [&](const config::SplitPart& one) { return one.name == stream.select; });
    if (part)
      report.why = "the split";
    else
      report.samples = stream.select.empty() ? samples : plan::Selection::parse(stream.select, samples).size();
  }
  return facts;
}

Forecast forecast(const config::Config& config, const DataFacts& facts, const plan::Machine& machine,
                  const Rates& rates) {
  Forecast result{.machine = machine, .name = config.name};
  const auto layout = lay_out(config, facts, machine, result);
  auto blueprint = sketch(config, facts, machine, result.streams);
  result.stored = layout.stored.size();
  result.row_bytes = row_bytes(blueprint.schema);
  weigh(config, blueprint, layout, facts.blocks.size(), result);
  if (config.window.kind != config::WindowConfig::Kind::none) result.window = config::text_of(config.window);
  result.smaller_blocks = service::blueprint::smaller_blocks(facts.report.catalog, config.block);
  for (auto& stream : result.streams) stream.from_files = !result.resident && !result.on_disk;
  if (config.start == config::Start::early)
    lay_out_early(config, facts, layout, blueprint, result);
  else
    lay_out_windows(config, facts, layout, blueprint, result);
  const auto answer_row = sizeof(std::int64_t) + result.row_bytes;
  const auto rows_per_answer =
      exchange::rows_per_answer(exchange::Settings::of(machine.nodes, answer_row).answer_bytes, answer_row);
  for (std::size_t s = 0; s < result.streams.size(); ++s) {
    auto& stream = result.streams[s];
    const auto schedule = blueprint.streams[s].schedule(machine.trainers());  // says so if it cannot be
    const auto order = blueprint.streams[s].epoch_order(config.seed, 0);
    stream.steps = schedule.steps();
    stream.batch = schedule.batch();
    if (stream.windows)
      stream.quality =
          service::blueprint::quality_of(blueprint.streams[s], std::uint64_t{stream.batch} * machine.trainers());
    stream.row_bytes = result.row_bytes;
    stream.flow =
        plan::flow(machine, schedule, order.get(), layout.first_ordinals[s], 0,
                   window(blueprint.slots_of(config, static_cast<std::uint32_t>(s)), schedule), rows_per_answer);
    limit(rates, result, facts.file_bytes_a_sample / std::max(1.0, static_cast<double>(result.row_bytes)),
          machine.nodes, stream);
  }
  time_start(facts, rates, result);
  return result;
}

}  // namespace headrace::commands::forecast
