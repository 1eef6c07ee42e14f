// The second half of finding out which samples streams have: where slabs begin, and what each node is to know of its own.
#include <algorithm>
#include <cstring>
#include <utility>

#include "data/selection/sample_bits.hpp"
#include "data/selection/selected_samples.hpp"
#include "mpi/agree.hpp"

namespace headrace::data::selection {

std::vector<plan::Slab> SelectedSamples::divide(std::span<const double> weights) const {
  return stored_by_data_ ? plan::divide(catalog_.samples, histogram_, weights)
                         : plan::divide(catalog_.samples, stored_, align_, weights);
}

std::vector<plan::Slab> SelectedSamples::divide(std::span<const double> weights, const plan::Blocks& blocks) const {
  const auto& borders = blocks.first_sample;
  plan::Histogram histogram{{borders.begin(), borders.end() - 1}, std::vector<std::uint64_t>(blocks.size())};
  if (!stored_by_data_) {
    for (std::size_t b = 0; b < blocks.size(); ++b)
      histogram.counts[b] = stored_.lower_bound({borders[b + 1]}).value - stored_.lower_bound({borders[b]}).value;
    return plan::divide(catalog_.samples, histogram, weights);
  }
  // Each looks at its part, which begins and ends anywhere within blocks.
  const plan::SampleSet mine(mine_, bits_.back(), plan::SampleSet::Ask::ranks);
  std::vector<std::uint64_t> counts;
  const auto first = std::upper_bound(borders.begin(), borders.end() - 1, mine_.first) - borders.begin() - 1;
  for (auto b = static_cast<std::size_t>(first); b < blocks.size() && borders[b] < mine_.last; ++b)
    counts.push_back(mine.below(borders[b + 1]) - mine.below(borders[b]));
  std::string parcel(sizeof(std::uint64_t) * (counts.size() + 1), '\0');
  const auto place = static_cast<std::uint64_t>(first);
  std::memcpy(parcel.data(), &place, sizeof place);
  if (!counts.empty()) std::memcpy(parcel.data() + sizeof place, counts.data(), sizeof place * counts.size());
  for (const auto& part : topology_.all.allgather(parcel)) {
    std::vector<std::uint64_t> words(part.size() / sizeof place);
    std::memcpy(words.data(), part.data(), part.size());
    for (std::size_t i = 1; i < words.size(); ++i) histogram.counts[words[0] + i - 1] += words[i];
  }
  return plan::divide(catalog_.samples, histogram, weights);
}

/// Choices in their order, then what is stored, then stream by stream what it has of each class.
std::vector<SelectedSamples::Set> SelectedSamples::all_sets() const {
  std::vector<Set> sets;
  using Ask = plan::SampleSet::Ask;  // batches are planned from streams, or from what these have of classes
  for (std::size_t s = 0; s < choices_.size(); ++s) {
    const bool planned_from = s < streams_ && class_sizes_[s].empty() && !drawing_.stream(s).draw;
    sets.push_back({by_data(s), bits_[s], choices_[s].selection, planned_from ? Ask::members : Ask::ranks});
  }
  sets.push_back({stored_by_data_, bits_.back(), stored_, Ask::ranks});
  for (std::size_t s = 0; s < streams_; ++s)
    for (std::size_t c = 0; c < class_sizes_[s].size(); ++c) sets.push_back(set_of(s, c));
  return sets;
}

std::vector<std::vector<plan::SampleSet>> SelectedSamples::sets_here(const std::vector<Set>& sets,
                                                                     const std::vector<plan::Slab>& slabs) const {
  std::vector<std::string> parcels(topology_.stagers());
  for (std::uint32_t to = 0; to < topology_.stagers(); ++to) {
    const auto& node = topology_.nodes[topology_.node_of(to)];
    for (std::size_t b = 0; b < sets.size(); ++b)
      if (sets[b].by_data)
        for (auto holder = node.first; holder < node.first + node.stagers; ++holder)
          pack_bits(sets[b].bits, mine_, slabs[holder], b, holder, parcels[to]);
  }
  const auto& here = topology_.here();
  std::vector<std::vector<Bits>> words(sets.size(), std::vector<Bits>(here.stagers));
  for (auto& set : words)
    for (std::uint32_t i = 0; i < here.stagers; ++i) {
      const auto& slab = slabs[here.first + i];
      set[i].resize((slab.last - slab.first + 63) / 64);
    }
  for (const auto& parcel : topology_.all.alltoall(parcels))
    unpack_bits(parcel, [&](std::size_t set, std::uint32_t holder) -> BitsOfSlab {
      return {words[set][holder - here.first], slabs[holder]};
    });
  std::vector<std::vector<plan::SampleSet>> made(sets.size());
  for (std::size_t b = 0; b < sets.size(); ++b)
    for (std::uint32_t i = 0; i < here.stagers; ++i)
      made[b].emplace_back(slabs[here.first + i], std::move(words[b][i]), sets[b].ask);
  return made;
}

void SelectedSamples::place_draw(std::size_t stream, const std::vector<plan::Slab>& slabs, Placed& placed) const {
  auto node = drawing_.place(stream, slabs);
  auto drawn = mpi::together(topology_.all, [&] { return node.epoch(0); });
  const auto rows = topology_.all.allgather((*drawn)[topology_.local()].size());
  placed.strata.push_back(node.strata(std::move(drawn), rows));
  placed.draws.push_back(std::make_shared<const plan::NodeDraw>(std::move(node)));
}

Placed SelectedSamples::place(std::vector<plan::Slab> slabs) const {
  const auto sets = all_sets();
  const bool any = std::any_of(sets.begin(), sets.end(), [](const Set& set) { return set.by_data; });
  auto here = any ? sets_here(sets, slabs) : std::vector<std::vector<plan::SampleSet>>(sets.size());
  std::size_t next = 0;
  const auto members = [&] {
    const auto set = next++;
    if (!sets[set].by_data) return plan::Members(sets[set].selection, slabs);
    const auto counts = topology_.all.allgather(std::uint64_t{here[set][topology_.local()].size()});
    return plan::Members(counts, topology_.here().first, std::move(here[set]));
  };
  Placed placed;
  std::vector<plan::Members> whole;
  for (std::size_t s = 0; s < streams_; ++s) whole.push_back(members());
  for (std::size_t c = 0; c < classes(); ++c) placed.classes.push_back(members());
  auto stored = members();
  for (std::size_t s = 0; s < streams_; ++s) {
    if (drawing_.stream(s).draw) {
      place_draw(s, slabs, placed);
      placed.once.push_back(std::move(whole[s]));
      continue;
    }
    placed.draws.emplace_back();
    placed.once.emplace_back();
    std::vector<plan::Members> of_classes;
    for (std::size_t c = 0; c < class_sizes_[s].size(); ++c) of_classes.push_back(members());
    placed.strata.push_back(of_classes.empty() ? plan::Strata(std::move(whole[s]))
                                               : plan::Strata(std::move(of_classes)));
  }
  placed.weights = drawing_.place_weights(slabs);
  placed.placement = mpi::together(topology_.all, [&] { return plan::Placement(std::move(slabs), std::move(stored)); });
  return placed;
}

}  // namespace headrace::data::selection
