#include "service/window_order.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "data/selection/mixing.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"
#include "service/blueprint/blocks.hpp"

namespace headrace::service {

namespace {

/// Bytes that a stager reads to tell how sorted the files are.
constexpr std::uint64_t most_read = 1u << 30;
/// Where trainers wait for a part of the files, no more than this part of them.
constexpr std::uint64_t hardly_delays = 100;

/// That the sums of all columns and streams may take meanwhile, in each stager.
constexpr std::uint64_t most_summed = 256u << 20;

using Counts = std::vector<std::uint64_t>;

/// Members of a known stager's slab in each of its blocks.
Counts counts_of_slab(const plan::Members& members, std::uint32_t stager, const plan::Slab& slab,
                      const plan::Blocks& blocks) {
  Counts counts;
  const auto& borders = blocks.first_sample;
  const auto first = members.first_ordinals()[stager], end = members.first_ordinals()[stager + 1];
  auto border = std::ranges::lower_bound(borders, slab.first);
  for (auto before = first; border != borders.end() && *border < slab.last; ++border) {
    const auto after = *(border + 1) >= slab.last ? end : members.ordinal(stager, *(border + 1));
    counts.push_back(after - before);
    before = after;
  }
  return counts;
}

/// Streams that are not shuffled, as they may be read lap by lap.
void lay_out_straight(const job::Topology& topology, blueprint::Blueprint& blueprint) {
  for (std::size_t s = 0; s < blueprint.streams.size(); ++s) {
    auto& stream = blueprint.streams[s];
    if (stream.shuffle != plan::Shuffle::none || blueprint.strata[s].sets().size() != 1) continue;
    const auto& slabs = blueprint.placement.slabs();
    auto first = first_ordinals(blueprint.strata[s].sets()[0], slabs, blueprint.blocks, topology);
    stream.straight = std::make_shared<blueprint::Straight>(stream.name, std::move(first), blueprint.blocks, slabs);
  }
}

/// What a stream has of the slab of a stager that is known here.
blueprint::Runs runs_of(const plan::Strata& strata, std::uint32_t stager) {
  return [&strata, stager](std::uint64_t first, std::uint64_t last, const blueprint::Run& f) {
    for (const auto& set : strata.sets()) {
      if (!set.repeats()) {
        set.runs(stager, first, last, [&](std::uint64_t begin, std::uint64_t count) { f(begin, count, 1); });
        continue;
      }
      for (auto sample = first; sample < last; ++sample)
        if (set.contains(stager, sample)) f(sample, 1, set.copies(stager, sample));
    }
  };
}

/// Blocks of a slab: it begins with one, and ends with one.
blueprint::BlockRange blocks_of_slab(const plan::Slab& slab, const plan::Blocks& blocks) {
  const auto number = [&](std::uint64_t sample) {
    return static_cast<std::uint64_t>(std::ranges::lower_bound(blocks.first_sample, sample) -
                                      blocks.first_sample.begin());
  };
  return {number(slab.first), number(slab.last)};
}

}  // namespace

Counts first_ordinals(const plan::Members& members, const std::vector<plan::Slab>& slabs, const plan::Blocks& blocks,
                      const job::Topology& topology) {
  Counts all;
  if (members.selection()) {
    for (const auto sample : blocks.first_sample) all.push_back(members.selection()->lower_bound({sample}).value);
    return all;
  }
  const auto mine = counts_of_slab(members, topology.me(), slabs[topology.me()], blocks);
  std::string parcel(mine.size() * sizeof(std::uint64_t), '\0');
  if (!mine.empty()) std::memcpy(parcel.data(), mine.data(), parcel.size());
  all.push_back(0);
  for (const auto& part : topology.all.allgather(parcel)) {
    Counts counts(part.size() / sizeof(std::uint64_t));
    if (!counts.empty()) std::memcpy(counts.data(), part.data(), part.size());
    for (const auto count : counts) all.push_back(all.back() + count);
  }
  return all;
}

blueprint::WindowShares choose_windows(const config::Config& config, const job::Topology& topology,
                                       const data::selection::SelectedSamples& selected, std::uint64_t room,
                                       blueprint::Blueprint& blueprint) {
  if (config.window.kind == config::WindowConfig::Kind::none) return {};
  const auto bytes = selected.stored() * row_bytes(blueprint.schema);
  return mpi::together(topology.all, [&] {
    blueprint.blocks = blueprint::blocks_of(blueprint.catalog, config.block);
    auto shares = blueprint::share_window(config.window, blueprint.streams,
                                          {.samples = selected.sizes(),
                                           .row_bytes = row_bytes(blueprint.schema),
                                           .stored = selected.stored(),
                                           .all_samples = blueprint.catalog.samples,
                                           .blocks = blueprint.blocks.size(),
                                           .room = room});
    const bool joins = std::ranges::any_of(blueprint.fields, [](const auto& field) { return field.join.has_value(); });
    for (std::size_t s = 0; s < shares.bytes.size(); ++s)
      if (shares.bytes[s] > 0)
        blueprint::require_windows_possible(config.start, config.streams[s], blueprint.streams[s],
                                            data::selection::mixes(config.streams[s]), joins);
    if (const auto why = blueprint::no_effect(config.window, blueprint.blocks.size(), bytes <= room,
                                              blueprint::smaller_blocks(blueprint.catalog, config.block));
        !why.empty() && topology.me() == 0)
      log::warn("{}", why);
    if (!shares.any()) blueprint.blocks = {};
    return shares;
  });
}

void lay_out_windows(const config::Config& config, const job::Topology& topology, const blueprint::WindowShares& shares,
                     const data::selection::SelectedSamples& selected, blueprint::Blueprint& blueprint) {
  if (!shares.any()) return;
  for (std::size_t s = 0; s < shares.bytes.size(); ++s) {
    if (shares.bytes[s] == 0) continue;
    auto first = first_ordinals(blueprint.strata[s].sets()[0], blueprint.placement.slabs(), blueprint.blocks, topology);
    mpi::together(topology.all, [&] {
      std::uint64_t filled = 0;
      for (std::size_t b = 0; b < blueprint.blocks.size(); ++b) filled += first[b] < first[b + 1];
      const auto bytes = selected.sizes()[s] * row_bytes(blueprint.schema);
      const auto blocks = blueprint::blocks_a_window(config.window, blueprint.streams[s].name, shares.bytes[s], bytes,
                                                     filled, topology.stagers(),
                                                     blueprint::smaller_blocks(blueprint.catalog, config.block));
      auto windows = std::make_shared<const plan::Windows>(std::move(first), blocks);
      if (windows->count() > 1) blueprint.streams[s].shuffle_in(std::move(windows));
    });
  }
  if (shares.straight) lay_out_straight(topology, blueprint);
  const bool any = std::ranges::any_of(
      blueprint.streams, [](const auto& stream) { return stream.windows != nullptr || stream.straight != nullptr; });
  if (!any) blueprint.blocks = {};
}

std::vector<std::optional<blueprint::WindowQuality>> measure_windows(const job::Topology& topology,
                                                                     const catalog::Contents& contents,
                                                                     const blueprint::Blueprint& blueprint,
                                                                     const reader::LoadOptions& options) {
  std::vector<std::optional<blueprint::WindowQuality>> all(blueprint.streams.size());
  if (std::ranges::none_of(blueprint.streams, [](const auto& stream) { return stream.windows != nullptr; })) return all;
  std::uint64_t bytes = 0, all_bytes = 0;
  auto columns = blueprint::small_columns(blueprint.catalog);
  for (const auto& dataset : blueprint.catalog.datasets) {
    const auto of_all = dataset.row_bytes * blueprint.catalog.samples;
    all_bytes += of_all;
    if (std::ranges::any_of(columns, [&](const auto& name) { return name.starts_with(dataset.path); })) bytes += of_all;
  }
  const bool early = std::ranges::any_of(blueprint.streams, &blueprint::StreamFacts::windows_at_start);
  if (bytes / topology.stagers() > most_read || (early && bytes * hardly_delays > all_bytes)) columns.clear();
  std::vector<blueprint::Runs> runs;
  for (std::size_t s = 0; s < all.size(); ++s)
    if (blueprint.streams[s].windows) runs.push_back(runs_of(blueprint.strata[s], topology.me()));
  const auto of_column = runs.size() * blueprint.blocks.size() * blueprint::BlockSums::bytes_a_block;
  columns.resize(std::min<std::size_t>(columns.size(), most_summed / of_column));
  const auto mine = blocks_of_slab(blueprint.placement.slabs()[topology.me()], blueprint.blocks);
  const auto sums =
      blueprint::sum_blocks(contents, blueprint.catalog, columns, blueprint.blocks, mine, runs, topology.all, options);
  for (std::size_t s = 0, summed = 0; s < all.size(); ++s) {
    const auto& facts = blueprint.streams[s];
    if (!facts.windows) continue;
    const auto schedule = facts.schedule(blueprint.trainers);
    all[s] = blueprint::quality_of(facts, std::uint64_t{schedule.batch()} * blueprint.trainers);
    blueprint::add_columns(sums[summed++], *facts.windows, *all[s]);
  }
  return all;
}

}  // namespace headrace::service
