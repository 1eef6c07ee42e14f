#include "service/loading/pane.hpp"

#include <algorithm>
#include <array>

namespace headrace::service::loading {

namespace {

/// The sample of a row.
std::uint64_t sample_of(const blueprint::Blueprint& blueprint, std::uint32_t stager, std::uint64_t row) {
  const auto& stored = blueprint.placement.stored();
  const std::array ordinals{stored.first_ordinals()[stager] + row};
  std::array<std::int64_t, 1> samples{};
  stored.samples(stager, ordinals, samples);
  return static_cast<std::uint64_t>(samples[0]);
}

}  // namespace

Pane rows_of_slab(const blueprint::Blueprint& blueprint, std::uint32_t stager, std::uint64_t first,
                  std::uint64_t count) {
  const auto& slab = blueprint.placement.slab(stager);
  Pane pane{slab, first, count, {}};
  const auto end = first + count;
  if (count == 0) {
    pane.samples = {slab.first, slab.first};
    return pane;
  }
  if (first > 0) pane.samples.first = sample_of(blueprint, stager, first);
  if (end < blueprint.placement.rows(stager)) pane.samples.last = sample_of(blueprint, stager, end - 1) + 1;
  return pane;
}

Pane rows_in_memory(const blueprint::Blueprint& blueprint, const job::Topology& topology, store::NodeStore& store) {
  // Behind them panes of windows may lie.
  const auto rows = std::min(store.layout().rows(topology.local()), blueprint.placement.rows(topology.me()));
  auto pane = rows_of_slab(blueprint, topology.me(), 0, rows);
  for (std::size_t f = 0; f < blueprint.schema.size(); ++f) pane.columns.push_back(store.column(topology.local(), f));
  return pane;
}

std::uint64_t rows_to_chunk_end(const blueprint::Blueprint& blueprint, std::uint32_t stager, std::uint64_t first,
                                std::uint64_t most) {
  const auto& placement = blueprint.placement;
  const auto rows = placement.rows(stager);
  if (rows - first <= most) return rows - first;
  const auto next = sample_of(blueprint, stager, first + most);
  const auto file = blueprint.catalog.file_of(next);
  const auto begin = blueprint.catalog.files[file].first_sample;
  std::uint64_t chunk = 1;
  for (const auto& dataset : blueprint.catalog.datasets)
    if (const auto& here = dataset.in_file[file]; !here.path.empty() && !here.chunk.empty())
      chunk = std::max<std::uint64_t>(chunk, here.chunk.front());
  const auto end = begin + (next - begin) / chunk * chunk;  // of samples
  if (end <= placement.slab(stager).first) return most;
  const auto row = placement.row(stager, end);
  return row > first ? row - first : most;
}

}  // namespace headrace::service::loading
