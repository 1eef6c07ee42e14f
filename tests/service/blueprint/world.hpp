// Data sets, blueprints and stores made by hand, without files: every byte of a row says which sample and field it
// belongs to, so that a row in the wrong place cannot pass.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "base/hash.hpp"
#include "data/made.hpp"
#include "plan/epoch_order.hpp"
#include "service/blueprint/blueprint.hpp"
#include "store/node_store.hpp"

namespace service_test {

using namespace headrace;
using namespace headrace::config;
using namespace headrace::service::blueprint;

/// What draw() makes, for any number of stagers, without asking MPI who is where.
inline Blueprint blueprint(std::uint64_t samples, std::vector<StreamConfig> streams, const std::vector<double>& weights,
                           std::uint64_t align = 1) {
  std::vector<plan::Selection> selections;
  for (const auto& stream : streams)
    selections.push_back(stream.select.empty() ? plan::Selection::all(samples)
                                               : plan::Selection::parse(stream.select, samples));
  const auto stored = plan::Selection::unite(selections);
  Blueprint blueprint{.catalog = catalog(samples, align),
                      .schema = {},
                      .fields = {},
                      .streams = {},
                      .placement = plan::Placement(plan::divide(samples, stored, align, weights), stored),
                      .strata = {}};
  for (std::size_t d = 0; d < blueprint.catalog.datasets.size(); ++d) {
    const auto& info = blueprint.catalog.datasets[d];
    blueprint.schema.push_back({info.path, info.element().dtype, info.row_shape, {}, {}});
  }
  for (std::size_t s = 0; s < streams.size(); ++s) {
    blueprint.streams.push_back({streams[s].name, selections[s].size(), streams[s].batch, streams[s].global_batch,
                                 streams[s].shuffle, streams[s].last, streams[s].epochs, streams[s].order});
    blueprint.strata.emplace_back(plan::Members(selections[s], blueprint.placement.slabs()));
    blueprint.streams.back().replicas = streams[s].replicas;
  }
  return blueprint;
}

/// The blueprint with its stream as sets that only their nodes know, one stager a node.
inline Blueprint known_by_data(const Blueprint& drawn, std::uint32_t here) {
  auto result = drawn;
  std::vector<plan::Members> sets;
  for (const auto& members : drawn.strata[0].sets()) {
    const auto& first = members.first_ordinals();
    std::vector<std::uint64_t> counts;
    for (std::uint32_t s = 0; s + 1 < first.size(); ++s) counts.push_back(first[s + 1] - first[s]);
    const auto slab = drawn.placement.slab(here);
    std::vector<std::uint64_t> words((slab.last - slab.first + 63) / 64);
    for (auto sample = slab.first; sample < slab.last; ++sample)
      if (members.selection()->contains({sample}))
        words[(sample - slab.first) / 64] |= std::uint64_t{1} << (sample - slab.first) % 64;
    sets.emplace_back(counts, here, std::vector{plan::SampleSet(slab, words, plan::SampleSet::Ask::members)});
  }
  result.strata[0] = plan::Strata(std::move(sets));
  return result;
}

inline std::byte payload(std::uint64_t sample, std::size_t field, std::uint64_t at) {
  return static_cast<std::byte>(sample_hash(sample * 64 + field + (at / 8 << 40)) >> at % 8 * 8);
}

/// Writes rows [first_row, end_row) of a stager's slab.
inline void write_rows(const Blueprint& blueprint, std::uint32_t stager, std::uint64_t first_row, std::uint64_t end_row,
                       const std::vector<std::byte*>& columns) {
  const auto& placement = blueprint.placement;
  const auto& stored = *placement.stored().selection();
  const auto first = stored.lower_bound({placement.slab(stager).first});
  for (auto row = first_row; row < end_row; ++row) {
    const auto sample = stored.sample(first + row).value;
    for (std::size_t f = 0; f < blueprint.schema.size(); ++f) {
      const auto bytes = blueprint.schema[f].row_bytes();
      auto* to = columns[f] + (row - first_row) * bytes;
      for (std::uint64_t at = 0; at < bytes; ++at) to[at] = payload(sample, f, at);
    }
  }
}

/// Writes the rows of a stager's slab that are in memory; `local`: its number on the node.
inline void fill_slab(const Blueprint& blueprint, std::uint32_t stager, std::size_t local, store::NodeStore& store) {
  std::vector<std::byte*> columns;
  for (std::size_t f = 0; f < blueprint.schema.size(); ++f) columns.push_back(store.column(local, f));
  write_rows(blueprint, stager, 0, store.layout().rows(local), columns);
}

/// Makes a stream of all samples one that mixes classes: sample i is of class i % shares. No class may be empty.
inline void make_mixed(Blueprint& blueprint, std::size_t stream, std::vector<std::uint64_t> shares,
                       plan::Mix::Within within, std::uint64_t positions) {
  std::vector<plan::Members> sets;
  std::vector<std::uint64_t> members;
  for (std::uint64_t c = 0; c < shares.size(); ++c) {
    const plan::Range range{c, blueprint.catalog.samples, shares.size()};
    const auto selection = plan::Selection::of({&range, 1});
    members.push_back(selection.size());
    sets.emplace_back(selection, blueprint.placement.slabs());
  }
  blueprint.strata[stream] = plan::Strata(std::move(sets));
  blueprint.streams[stream].samples = positions;
  blueprint.streams[stream].mix = std::make_shared<const plan::Mix>(
      plan::Mix{plan::Turns(std::move(shares)), within, positions, std::move(members)});
}

/// The sample of an ordinal.
inline std::int64_t sample_of(const plan::Strata& strata, std::uint64_t ordinal) {
  for (const auto& set : strata.sets()) {
    if (ordinal < set.size()) return static_cast<std::int64_t>(set.selection()->sample({ordinal}).value);
    ordinal -= set.size();
  }
  throw std::out_of_range("an ordinal beyond all sets");
}

/// The samples of a share, worked out one by one: the real ones ascending, then the padding ascending (of a mix: class
/// by class); or as they were drawn.
inline std::vector<std::int64_t> expected_samples(const Blueprint& blueprint, std::uint32_t stream,
                                                  const plan::Share& share, const plan::EpochOrder* order,
                                                  bool drawn = false) {
  const auto& strata = blueprint.strata[stream];
  const auto ordinal = [&](std::uint64_t position) {
    position %= blueprint.streams[stream].samples;
    auto found = position;
    if (order) order->evaluate(position, {&found, 1});
    return found;
  };
  std::vector<std::uint64_t> real, padding;
  for (std::uint64_t i = 0; i < share.rows; ++i) real.push_back(ordinal(share.first + i));
  for (std::uint64_t i = 0; i < share.padding; ++i) padding.push_back(ordinal(share.padding_first + i));
  if (!drawn) std::sort(real.begin(), real.end()), std::sort(padding.begin(), padding.end());
  real.insert(real.end(), padding.begin(), padding.end());
  std::vector<std::int64_t> samples;
  for (const auto one : real) samples.push_back(sample_of(strata, one));
  return samples;
}

/// Bytes of a batch that are not what its sample numbers say, and sample numbers that are not the expected ones.
template <class FieldAt>
std::uint64_t wrong_in_batch(const Blueprint& blueprint, const std::vector<std::int64_t>& expected,
                             const std::int64_t* index, const FieldAt& field_at) {
  std::uint64_t wrong = 0;
  for (std::size_t row = 0; row < expected.size(); ++row) {
    wrong += index[row] != expected[row];
    for (std::size_t f = 0; f < blueprint.schema.size(); ++f) {
      const auto bytes = blueprint.schema[f].row_bytes();
      const std::byte* data = field_at(f) + row * bytes;
      for (std::uint64_t at = 0; at < bytes; ++at)
        wrong += data[at] != payload(static_cast<std::uint64_t>(expected[row]), f, at);
    }
  }
  return wrong;
}

}  // namespace service_test
