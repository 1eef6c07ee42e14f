#include "service/window_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "mpi/agree.hpp"
#include "service/blueprint/blocks.hpp"
#include "service/blueprint/need.hpp"
#include "service/blueprint/windows.hpp"
#include "service/loading/window_load.hpp"
#include "store/node_store.hpp"

namespace headrace::service {

namespace {

bool shuffled_in_windows(const blueprint::StreamFacts& stream) {
  return stream.windows && stream.windows->count() > 1 && !stream.windows_at_start;
}

/// What may be read window by window, or lap by lap.
bool may_be_read(const blueprint::StreamFacts& stream) {
  return shuffled_in_windows(stream) || stream.straight;
}

bool all_fit(const blueprint::Blueprint& blueprint, const job::Topology& topology, const StoreBudgets& budgets) {
  for (std::size_t n = 0; n < topology.nodes.size(); ++n)
    if (store::Layout(blueprint.schema, blueprint.rows_of_node(topology.nodes[n])).bytes() > budgets.bytes[n])
      return false;
  return true;
}

/// Streams that get panes, ascending.
std::vector<std::uint32_t> too_large(const blueprint::Blueprint& blueprint, const StoreBudgets& budgets) {
  const auto row = row_bytes(blueprint.schema);
  const auto room = std::accumulate(budgets.bytes.begin(), budgets.bytes.end(), std::uint64_t{0}) /
                    blueprint::resident_share;
  std::uint64_t taken = 0;
  std::vector<std::uint32_t> windowed, large;
  for (std::uint32_t s = 0; s < blueprint.streams.size(); ++s) {
    if (may_be_read(blueprint.streams[s]))
      windowed.push_back(s);
    else
      taken += blueprint.strata[s].size() * row;
  }
  std::ranges::sort(windowed, {}, [&](std::uint32_t s) { return std::pair{blueprint.strata[s].size(), s}; });
  for (const auto s : windowed) {
    taken += blueprint.strata[s].size() * row;
    if (taken > room) large.push_back(s);
  }
  std::ranges::sort(large);
  return large;
}

/// All that these sets have of the slabs of this node.
std::vector<plan::SampleSet> united_here(const std::vector<const plan::Members*>& sets, const job::Node& here,
                                         const std::vector<plan::Slab>& slabs) {
  std::vector<plan::SampleSet> united;
  for (auto stager = here.first; stager < here.first + here.stagers; ++stager) {
    const auto& slab = slabs[stager];
    std::vector<std::uint64_t> words((slab.last - slab.first + 63) / 64);
    for (const auto* set : sets)
      set->runs(stager, slab.first, slab.last, [&](std::uint64_t first, std::uint64_t count) {
        for (auto bit = first - slab.first; bit < first - slab.first + count; ++bit)
          words[bit / 64] |= std::uint64_t{1} << bit % 64;
      });
    united.emplace_back(slab, std::move(words), plan::SampleSet::Ask::ranks);
  }
  return united;
}

/// Rows for the samples of these streams alone. Collective.
plan::Placement placement_of(const blueprint::Blueprint& blueprint, const std::vector<std::uint32_t>& streams,
                             const job::Topology& topology) {
  const auto& slabs = blueprint.placement.slabs();
  std::vector<const plan::Members*> sets;
  for (const auto s : streams)
    for (const auto& set : blueprint.strata[s].sets()) sets.push_back(&set);
  const bool known = std::ranges::all_of(sets, [](const auto* set) { return set->selection() != nullptr; });
  if (known) {
    std::vector<plan::Selection> parts;
    for (const auto* set : sets) parts.push_back(*set->selection());
    return mpi::together(topology.all, [&] {
      return plan::Placement(slabs, parts.empty() ? plan::Selection() : plan::Selection::unite(parts));
    });
  }
  auto here = united_here(sets, topology.here(), slabs);
  const auto counts = topology.all.allgather(std::uint64_t{here[topology.local()].size()});
  return mpi::together(topology.all, [&] {
    return plan::Placement(slabs, plan::Members(counts, topology.here().first, std::move(here)));
  });
}

std::uint64_t pane_bytes(const blueprint::Blueprint& blueprint, std::uint32_t stream, const job::Node& node) {
  std::uint64_t rows = 0;
  for (auto stager = node.first; stager < node.first + node.stagers; ++stager)
    rows += blueprint.cells[stream]->pane_rows[stager];
  return rows * row_bytes(blueprint.schema);
}

void require_possible(const blueprint::Blueprint& blueprint, const std::vector<std::uint32_t>& large) {
  loading::require_loadable_by_blocks(blueprint);
  for (const auto s : large) {
    const auto& stream = blueprint.streams[s];
    if (stream.straight) continue;  // says so when laps are made
    blueprint::require_two_windows_hold(stream, blueprint.trainers, blueprint::larger_window);
    require(blueprint.strata[s].sets().size() == 1 && !stream.mix,
            fmt::format("stream '{}' does not fit memory, and what it mixes cannot be read window by window; name a "
                        "folder on a disk of each node instead (scratch = \"DIR\"), or leave mix out",
                        stream.name));
  }
  blueprint::require_no_draws(blueprint.streams);
}

}  // namespace

namespace {

/// Rows of panes for the laps of a stream beside what is used: as few laps as leave the first batch soon, and fit.
std::vector<std::uint64_t> rows_of_laps(const blueprint::Blueprint& blueprint, std::uint32_t stream,
                                        const job::Topology& topology, const StoreBudgets& budgets,
                                        std::span<const std::uint64_t> used) {
  using blueprint::Straight;
  const auto& facts = blueprint.streams[stream];
  const auto schedule = facts.schedule(blueprint.trainers);
  const auto fit = [&](std::span<const std::uint64_t> rows) {
    for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
      const auto& node = topology.nodes[n];
      std::vector<std::uint64_t> of_node;
      for (auto stager = node.first; stager < node.first + node.stagers; ++stager)
        of_node.push_back(used[stager] + 2 * rows[stager]);
      if (store::Layout(blueprint.schema, of_node).bytes() > budgets.bytes[n]) return false;
    }
    return true;
  };
  std::vector<std::uint64_t> counts;
  for (auto count = Straight::fewest; count < Straight::usual; count = Straight::next(count))
    counts.insert(counts.begin(), count);
  std::vector<std::uint64_t> rows;
  for (auto count = Straight::usual;; count = Straight::next(count)) {  // more, smaller ones
    auto these = facts.straight->need(schedule, count);
    if (these.empty()) break;
    rows = std::move(these);
    if (fit(rows)) return rows;
  }
  for (const auto count : counts) {  // fewer, where stretches would be too short
    if (!rows.empty()) break;
    rows = facts.straight->need(schedule, count);
    if (!rows.empty() && fit(rows)) return rows;
  }
  if (rows.empty()) facts.straight->refuse(schedule);
  return rows;  // the check of memory tells what is missing
}

}  // namespace

void settle_windows(const job::Topology& topology, const StoreBudgets& budgets, blueprint::Blueprint& blueprint) {
  if (!std::ranges::any_of(blueprint.streams, may_be_read)) return;
  if (all_fit(blueprint, topology, budgets)) return;
  const auto large = too_large(blueprint, budgets);
  if (large.empty()) return;
  mpi::together(topology.all, [&] { require_possible(blueprint, large); });
  std::vector<std::uint32_t> resident;
  for (std::uint32_t s = 0; s < blueprint.streams.size(); ++s)
    if (std::ranges::find(large, s) == large.end()) resident.push_back(s);
  blueprint.placement = placement_of(blueprint, resident, topology);
  blueprint.cells.resize(blueprint.streams.size());
  std::vector<std::uint64_t> used(topology.stagers());
  for (std::uint32_t stager = 0; stager < topology.stagers(); ++stager) used[stager] = blueprint.placement.rows(stager);
  const auto add = [&](std::uint32_t s, std::vector<std::uint64_t> pane_rows) {
    blueprint.cells[s] = blueprint::StreamCells{used, std::move(pane_rows)};
    for (std::uint32_t stager = 0; stager < topology.stagers(); ++stager)
      used[stager] += 2 * blueprint.cells[s]->pane_rows[stager];
  };
  for (const auto s : large)
    if (!blueprint.streams[s].straight)
      add(s, blueprint::pane_rows(*blueprint.streams[s].windows, blueprint.blocks, blueprint.placement.slabs()));
  for (const auto s : large)
    if (const auto& straight = blueprint.streams[s].straight) {
      auto rows = mpi::together(topology.all, [&] { return rows_of_laps(blueprint, s, topology, budgets, used); });
      straight->take(rows);
      add(s, std::move(rows));
    }
}

std::string way_out_by_windows(const config::Config& config, const blueprint::Blueprint& blueprint,
                               const job::Node& node) {
  std::string text;
  for (std::uint32_t s = 0; s < blueprint.cells.size(); ++s)
    if (blueprint.cells[s])
      text += fmt::format("{}stream '{}' keeps two windows of {} there", text.empty() ? "" : ", ",
                          blueprint.streams[s].name, format_bytes(pane_bytes(blueprint, s, node)));
  // More than all samples that are to be in memory, panes among them, as soon as it is known who has them.
  const bool known = blueprint.placement.stagers() > 0;
  const auto samples = known ? store::Layout(blueprint.schema, blueprint.rows_in_memory_of(node)).bytes() : 0;
  if (const auto tables = blueprint::table_bytes_of_node(blueprint, node.stagers); known && tables > samples)
    return fmt::format("; the tables of {} blocks take {} of the buffers: take larger blocks (block)",
                       blueprint.blocks.size(), format_bytes(tables));
  const auto smaller = blueprint::smaller_blocks(blueprint.catalog, config.block);
  if (!text.empty()) return fmt::format("; {}: choose a smaller window, or {}", text, smaller);
  const bool one = config.window.kind != config::WindowConfig::Kind::none && blueprint.blocks.empty() &&
                   blueprint::blocks_of(blueprint.catalog, config.block).size() == 1;
  return one ? "; " + blueprint::no_effect(config.window, 1, false, smaller) : "";
}

std::vector<std::string> lines_of_windows(const blueprint::Blueprint& blueprint, const job::Node& node) {
  std::vector<std::string> lines;
  for (std::uint32_t s = 0; s < blueprint.cells.size(); ++s)
    if (blueprint.cells[s] && blueprint.streams[s].straight)
      lines.push_back(
          fmt::format("stream {} is read from the files as it lies, in stretches of which two are in memory "
                      "at a time (up to {} each on {})",
                      blueprint.streams[s].name, format_bytes(pane_bytes(blueprint, s, node)), node.host));
    else if (blueprint.cells[s])
      lines.push_back(
          fmt::format("stream {} is read from the files in {} windows an epoch; two of them are in memory "
                      "at a time (up to {} each on {})",
                      blueprint.streams[s].name, blueprint.streams[s].windows->count(),
                      format_bytes(pane_bytes(blueprint, s, node)), node.host));
  return lines;
}

}  // namespace headrace::service
