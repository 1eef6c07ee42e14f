#include "service/blueprint/blueprint.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "data/selection/mixing.hpp"
#include "ring/producer.hpp"

namespace headrace::service::blueprint {

namespace {

// Where nobody says how many slots: small batches are gone within the time that a wake-up takes, so that four of them
// leave cores idle. Between nodes prefetching hides the links' delays: measured on four nodes with links of 1 Gbit/s,
// 10 slots of 1.7 MB bring 0.86 of the links, 4 of them 0.81.
constexpr std::uint64_t prefetch_bytes = 16 << 20, fewest_slots = 4, most_slots = 16;

}  // namespace

std::vector<double> weights(const std::vector<job::Node>& nodes, const std::vector<std::uint64_t>& node_budgets,
                            std::uint64_t total_bytes) {
  // Equal per stager; a node that this would overfill is filled to its budget, and the others share the rest.
  std::vector<double> share(nodes.size());
  std::vector<bool> full(nodes.size());
  for (bool changed = true; changed;) {
    changed = false;
    double rest = static_cast<double>(total_bytes);
    std::uint32_t open_stagers = 0;
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      if (full[n])
        rest -= share[n];
      else
        open_stagers += nodes[n].stagers;
    }
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      if (full[n]) continue;
      share[n] = std::max(0.0, rest) * nodes[n].stagers / open_stagers;
      if (share[n] > static_cast<double>(node_budgets[n])) {
        share[n] = static_cast<double>(node_budgets[n]);
        full[n] = changed = true;
      }
    }
  }
  std::vector<double> per_stager;
  for (std::size_t n = 0; n < nodes.size(); ++n)
    per_stager.insert(per_stager.end(), nodes[n].stagers, share[n] / nodes[n].stagers);
  // Nothing fits anywhere: the division must still be possible, and the check of memory then says what is missing.
  if (std::accumulate(per_stager.begin(), per_stager.end(), 0.0) <= 0) per_stager.assign(per_stager.size(), 1);
  return per_stager;
}

Blueprint draw(const config::Config& config, catalog::Catalog catalog, data::fields::FieldPlans fields,
               const std::vector<StreamSamples>& samples, const job::Topology& topology) {
  Blueprint blueprint;
  blueprint.catalog = std::move(catalog);
  blueprint.schema = std::move(fields.schema);
  blueprint.fields = std::move(fields.fields);
  blueprint.trainers = std::max(1u, config.trainers_per_node) * static_cast<std::uint32_t>(topology.nodes.size());
  for (std::size_t s = 0; s < samples.size(); ++s) {
    const auto& stream = config.streams[s];
    auto mix = data::selection::mix_of(config, stream, samples[s].of_classes);
    blueprint.streams.push_back({stream.name, mix ? mix->positions : samples[s].positions, stream.batch,
                                 stream.global_batch, stream.shuffle, stream.last, stream.epochs, stream.order,
                                 std::move(mix)});
    if (blueprint.streams.back().mix) blueprint.streams.back().classes = data::selection::names_of(config.classes);
    blueprint.streams.back().replicas = stream.replicas;
    blueprint.streams.back().draw = samples[s].draw;
    blueprint.streams.back().draw_lines = samples[s].draw_lines;
  }
  for (const auto& stream : blueprint.streams) stream.schedule(blueprint.trainers);  // says so now if it cannot be
  return blueprint;
}

std::uint32_t Blueprint::expected_batch(std::uint32_t stream) const {
  return streams[stream].schedule(trainers).batch();
}

std::uint32_t Blueprint::slot_rows(std::uint32_t stream) const {
  const auto batch = expected_batch(stream);
  const auto& facts = streams[stream];
  // Not divided by the trainers: fewer of them than expected, down to one, shall find as many slots.
  if (facts.last != plan::Last::partial) return batch;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(facts.samples, 1, batch));
}

std::uint64_t Blueprint::ring_bytes(const config::Config& config, std::uint32_t stream) const {
  return ring::Producer::ring_bytes(schema, slot_rows(stream), slots_of(config, stream));
}

std::uint32_t Blueprint::slots_of(const config::Config& config, std::uint32_t stream) const {
  if (config.slots > 0) return config.slots;
  const auto batch_bytes = std::max<std::uint64_t>(1, slot_rows(stream) * row_bytes(schema));
  return static_cast<std::uint32_t>(std::clamp(prefetch_bytes / batch_bytes, fewest_slots, most_slots));
}

std::vector<std::uint64_t> Blueprint::rows_of_node(const job::Node& node) const {
  std::vector<std::uint64_t> rows;
  for (auto stager = node.first; stager < node.first + node.stagers; ++stager) rows.push_back(placement.rows(stager));
  return rows;
}

std::vector<std::uint64_t> Blueprint::rows_in_memory_of(const job::Node& node) const {
  if (!on_disk()) {
    auto rows = rows_of_node(node);
    for (const auto& panes : cells)
      for (std::size_t i = 0; panes && i < rows.size(); ++i) rows[i] += 2 * panes->pane_rows[node.first + i];
    return rows;
  }
  const auto first = in_memory.begin() + static_cast<std::ptrdiff_t>(node.first);
  return {first, first + static_cast<std::ptrdiff_t>(node.stagers)};
}

std::vector<std::uint64_t> slab_hashes(const Blueprint& blueprint, std::uint32_t stream, std::uint32_t stager) {
  constexpr std::uint64_t block = 4096;
  std::vector<std::uint64_t> ordinals, sums;
  std::vector<std::int64_t> samples;
  for (const auto& set : blueprint.strata[stream].sets()) {
    const auto& first = set.first_ordinals();
    auto& sum = sums.emplace_back();
    for (auto begin = first[stager]; begin < first[stager + 1]; begin += block) {
      ordinals.resize(std::min(block, first[stager + 1] - begin));
      std::iota(ordinals.begin(), ordinals.end(), begin);
      samples.resize(ordinals.size());
      set.samples(stager, ordinals, samples);
      sum += hash_samples(samples);
    }
    if (set.repeats() && blueprint.streams[stream].draw->redrawn()) sum -= hash_of_more(set.multiset(stager));
  }
  return sums;
}

std::uint64_t hash_of_more(const plan::Multiset& slab) {
  std::vector<std::int64_t> samples;
  std::uint64_t sum = 0;
  const auto words = slab.more();
  for (std::size_t w = 0; w < words.size(); ++w) {
    for (auto rest = words[w]; rest != 0; rest &= rest - 1)
      samples.push_back(
          static_cast<std::int64_t>(slab.slab().first + 64 * w + static_cast<unsigned>(std::countr_zero(rest))));
    if (samples.size() < 1024 && w + 1 < words.size()) continue;
    sum += hash_samples(samples);
    samples.clear();
  }
  return sum;
}

}  // namespace headrace::service::blueprint
