#include "commands/forecast/windows.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "data/selection/mixing.hpp"
#include "plan/slabs.hpp"
#include "service/blueprint/cells.hpp"
#include "service/blueprint/windows.hpp"

namespace headrace::commands::forecast {

namespace {

using service::blueprint::Blueprint;

/// Ordinals of a stream at the blocks' borders.
std::vector<std::uint64_t> ordinals_of_blocks(const Layout& layout, std::size_t stream, std::uint64_t samples,
                                              const plan::Blocks& blocks) {
  std::vector<std::uint64_t> first;
  for (const auto border : blocks.first_sample)
    first.push_back(layout.selections[stream]
                        ? layout.selections[stream]->lower_bound({border}).value
                        : static_cast<std::uint64_t>(static_cast<long double>(samples) * border / layout.samples));
  return first;
}

std::uint64_t filled_blocks(const std::vector<std::uint64_t>& first) {
  std::uint64_t filled = 0;
  for (std::size_t b = 0; b + 1 < first.size(); ++b) filled += first[b] < first[b + 1];
  return filled;
}

bool has_joins(const config::Config& config) {
  return std::ranges::any_of(config.fields, [](const auto& field) { return !field.join.empty(); });
}

/// As the service divides the samples where there are blocks: slabs begin with them.
std::vector<plan::Slab> slabs_of_blocks(const Layout& layout, const plan::Blocks& blocks,
                                        const plan::Machine& machine) {
  const auto& borders = blocks.first_sample;
  plan::Histogram histogram{{borders.begin(), borders.end() - 1}, {}};
  for (std::size_t b = 0; b + 1 < borders.size(); ++b)
    histogram.counts.push_back(layout.stored.lower_bound({borders[b + 1]}).value -
                               layout.stored.lower_bound({borders[b]}).value);
  return plan::divide(layout.samples, histogram, std::vector<double>(machine.stagers(), 1.0));
}

/// Rows of each stager for streams that are in memory as a whole.
std::vector<std::uint64_t> rows_as_a_whole(const Layout& layout, const Forecast& result,
                                           const std::vector<bool>& in_parts, const std::vector<plan::Slab>& slabs) {
  std::vector<plan::Selection> known;
  std::uint64_t others = 0;
  for (std::size_t s = 0; s < in_parts.size(); ++s) {
    if (in_parts[s]) continue;
    if (layout.selections[s])
      known.push_back(*layout.selections[s]);
    else
      others += result.streams[s].samples;
  }
  const auto together = known.empty() ? plan::Selection() : plan::Selection::unite(known);
  std::vector<std::uint64_t> rows;
  for (const auto& slab : slabs)
    rows.push_back(together.lower_bound({slab.last}).value - together.lower_bound({slab.first}).value +
                   others / slabs.size());
  return rows;
}

/// Streams that are read in parts: the larger ones, as the service tells them from small ones (settle_windows).
std::vector<bool> read_in_parts(const Blueprint& blueprint, bool straight, std::uint64_t room, const Forecast& result) {
  std::vector<std::size_t> may_be;
  std::uint64_t taken = 0;
  for (std::size_t s = 0; s < result.streams.size(); ++s)
    if (result.streams[s].windows || (straight && blueprint.streams[s].shuffle == plan::Shuffle::none))
      may_be.push_back(s);
    else
      taken += result.streams[s].samples * result.row_bytes;
  std::ranges::sort(may_be, {}, [&](std::size_t s) { return std::pair{result.streams[s].samples, s}; });
  std::vector<bool> parts(result.streams.size());
  for (const auto s : may_be) {
    taken += result.streams[s].samples * result.row_bytes;
    parts[s] = taken > room / service::blueprint::resident_share;
  }
  return parts;
}

/// Two windows of each such stream beside the others, on the node with the most.
void weigh_windows(const config::Config& config, const DataFacts& facts, const Layout& layout,
                   const std::vector<bool>& in_parts, const Blueprint& blueprint, Forecast& result) {
  const auto& machine = result.machine;
  const auto slabs = slabs_of_blocks(layout, facts.blocks, machine);
  auto rows = rows_as_a_whole(layout, result, in_parts, slabs);
  for (std::size_t s = 0; s < in_parts.size(); ++s) {
    if (!in_parts[s]) continue;
    const auto& stream = result.streams[s];
    std::vector<std::uint64_t> pane(slabs.size(),
                                    stream.samples / service::blueprint::Straight::usual / slabs.size());
    if (stream.windows) pane = service::blueprint::pane_rows(*stream.windows, facts.blocks, slabs);
    for (std::size_t stager = 0; stager < rows.size(); ++stager) rows[stager] += 2 * pane[stager];
  }
  result.need.store = 0;
  for (std::uint32_t node = 0; node < machine.nodes; ++node) {
    const auto here =
        std::span<const std::uint64_t>(rows).subspan(node * machine.stagers_per_node, machine.stagers_per_node);
    result.need.store = std::max(
        result.need.store, service::blueprint::need_of_node(config, blueprint, here, machine.nodes).store);
  }
}

}  // namespace

void lay_out_early(const config::Config& config, const DataFacts& facts, const Layout& layout, Blueprint& blueprint,
                   Forecast& result) {
  const bool joins = has_joins(config);
  for (std::size_t s = 0; s < result.streams.size(); ++s) {
    auto& stream = result.streams[s];
    service::blueprint::require_windows_possible(config.start, config.streams[s], blueprint.streams[s],
                                                 data::selection::mixes(config.streams[s]), joins);
    if (facts.blocks.size() < 2 || config.streams[s].shuffle == plan::Shuffle::none) continue;
    stream.windows = std::make_shared<const plan::Windows>(
        plan::Windows::alike(ordinals_of_blocks(layout, s, stream.samples, facts.blocks),
                             service::blueprint::early_windows, service::blueprint::early_key(config.seed)));
    blueprint.streams[s].shuffle_in(stream.windows);
    blueprint.streams[s].windows_at_start = true;
    if (!result.on_disk) result.early_windows = stream.windows->count();
  }
}

void lay_out_windows(const config::Config& config, const DataFacts& facts, const Layout& layout, Blueprint& blueprint,
                     Forecast& result) {
  const auto& machine = result.machine;
  const auto fixed = result.need.rings + result.need.buffers;
  const auto room = config.memory == 0 ? UINT64_MAX : machine.nodes * (config.memory - std::min(config.memory, fixed));
  std::vector<std::uint64_t> samples;
  for (const auto& stream : result.streams) samples.push_back(stream.samples);
  const auto shares = service::blueprint::share_window(config.window, blueprint.streams,
                                                       {.samples = samples,
                                                        .row_bytes = result.row_bytes,
                                                        .stored = layout.stored.size(),
                                                        .all_samples = layout.samples,
                                                        .blocks = facts.blocks.size(),
                                                        .room = room});
  result.no_effect =
      service::blueprint::no_effect(config.window, facts.blocks.size(),
                                    layout.stored.size() * result.row_bytes <= room, result.smaller_blocks);
  const bool joins = has_joins(config);
  for (std::size_t s = 0; s < samples.size(); ++s) {
    if (shares.bytes[s] == 0) continue;
    auto& stream = result.streams[s];
    service::blueprint::require_windows_possible(config.start, config.streams[s], blueprint.streams[s],
                                                 data::selection::mixes(config.streams[s]), joins);
    auto first = ordinals_of_blocks(layout, s, samples[s], facts.blocks);
    const auto filled = filled_blocks(first);
    const auto count = service::blueprint::blocks_a_window(config.window, stream.name, shares.bytes[s],
                                                           samples[s] * result.row_bytes, filled, machine.stagers(),
                                                           result.smaller_blocks);
    auto windows = std::make_shared<const plan::Windows>(std::move(first), count);
    if (windows->count() < 2) continue;
    stream.windows = windows;
    blueprint.streams[s].shuffle_in(std::move(windows));
  }
  if (result.resident) return;
  const auto in_parts = read_in_parts(blueprint, shares.straight, room, result);
  if (std::ranges::count(in_parts, true) == 0) return;
  for (std::size_t s = 0; s < samples.size(); ++s) {
    if (in_parts[s] && result.streams[s].windows)
      service::blueprint::require_two_windows_hold(blueprint.streams[s], machine.trainers(),
                                                   service::blueprint::larger_window);
    result.streams[s].from_files = result.streams[s].from_files && in_parts[s];  // beside those that stay in memory
  }
  service::blueprint::require_no_draws(blueprint.streams);
  weigh_windows(config, facts, layout, in_parts, blueprint, result);
  result.by_windows = result.need.total() <= config.memory;
}

}  // namespace headrace::commands::forecast
