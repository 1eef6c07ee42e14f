#include "data/selection/selected_samples.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "base/error.hpp"
#include "data/selection/sample_bits.hpp"
#include "mpi/agree.hpp"
#include "plan/permutation.hpp"

namespace headrace::data::selection {

namespace {

constexpr std::uint64_t samples_at_a_time = 1 << 20;  // whose columns are held in memory
constexpr std::uint64_t gap_rows = 64;                // that are read along rather than skipped
constexpr std::uint64_t buckets_per_stager = 128;     // balance of the stored samples: within a percent

}  // namespace

SelectedSamples::SelectedSamples(const config::Config& config, const catalog::Contents& contents,
                                 const catalog::Catalog& catalog, std::vector<Choice> choices,
                                 const job::Topology& topology, const reader::LoadOptions& options)
    : config_(config),
      catalog_(catalog),
      choices_(std::move(choices)),
      topology_(topology),
      options_(options),
      align_(catalog.largest_chunk()),
      parts_(plan::divide(catalog.samples, plan::Selection::all(catalog.samples), align_,
                          std::vector<double>(topology.stagers(), 1.0))),
      mine_(parts_[topology.me()]),
      columns_(contents, catalog),
      bits_(choices_.size() + 1) {
  std::vector<plan::Selection> known;
  for (std::size_t s = 0; s < choices_.size(); ++s)
    if (!by_data(s)) known.push_back(choices_[s].selection);
  stored_ = plan::Selection::unite(known);
  stored_by_data_ = known.size() < choices_.size() && stored_.size() < catalog.samples;
  look();
  count();
  count_shared();
}

void SelectedSamples::look() {
  questions_ = mpi::together(topology_.all, [&] { return questions_of(choices_, columns_); });
  for (std::size_t s = 0; s < choices_.size(); ++s) {
    if (!by_data(s)) continue;
    bits_[s] = bits_of(choices_[s].selection, mine_);
    if (choices_[s].part) keep_parts(s);
    if (choices_[s].list && choices_[s].list->by == "index") keep_listed_numbers(s);
  }
  if (!questions_.all.empty()) look_at_columns();
}

void SelectedSamples::keep_parts(std::size_t stream) {
  const auto part = *choices_[stream].part;
  const plan::Permutation order(catalog_.samples, split_key(config_.seed));
  keep_where(bits_[stream], mine_, [&](std::uint64_t first, std::span<std::uint8_t> keep) {
    std::vector<std::uint64_t> positions(keep.size());
    order.invert(first, positions);
    for (std::size_t i = 0; i < keep.size(); ++i) keep[i] = positions[i] >= part.first && positions[i] < part.last;
  });
}

void SelectedSamples::keep_listed_numbers(std::size_t stream) {
  const auto& [file, by] = *choices_[stream].list;
  mpi::together(topology_.all, [&] {
    const auto list = IdList::read(file, false, choices_[stream].stream);
    const auto& numbers = list.numbers();
    const auto outside = numbers.front() < 0 ? numbers.front() : numbers.back();
    require(numbers.front() >= 0 && static_cast<std::uint64_t>(numbers.back()) < catalog_.samples,
            "stream '" + choices_[stream].stream + "': " + file + " lists sample " + std::to_string(outside) +
                ", but there are " + std::to_string(catalog_.samples));
    keep_where(bits_[stream], mine_, [&](std::uint64_t first, std::span<std::uint8_t> keep) {
      auto at = std::lower_bound(numbers.begin(), numbers.end(), static_cast<std::int64_t>(first));
      for (; at != numbers.end() && static_cast<std::uint64_t>(*at) - first < keep.size(); ++at)
        keep[static_cast<std::uint64_t>(*at) - first] = 1;
    });
  });
}

void SelectedSamples::look_at_columns() {
  // As many rounds on every stager: reading may be collective.
  const auto rounds = topology_.all.max((mine_.last - mine_.first + samples_at_a_time - 1) / samples_at_a_time);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const auto first = std::min(mine_.last, mine_.first + round * samples_at_a_time);
    look_at(first, std::min(mine_.last, first + samples_at_a_time));
  }
  check_found();
}

void SelectedSamples::look_at(std::uint64_t first, std::uint64_t last) {
  Bits asked((mine_.last - mine_.first + 63) / 64);
  for (const auto& question : questions_.all)
    for (std::size_t w = 0; w < asked.size(); ++w) asked[w] |= bits_[question.stream][w];
  const auto intervals = intervals_in(plan::SampleSet(mine_, std::move(asked)), first, last, gap_rows);
  columns_.read(topology_.all, first, last, intervals, options_);
  mpi::together(topology_.all, [&] {
    for (auto& question : questions_.all) {
      auto keep = bytes_of(bits_[question.stream], mine_, first, last);
      if (question.condition == nullptr) {
        auto& open = questions_.lists[question.list];
        open.list.filter(columns_.values(question.columns[0]), keep, open.found);
      } else {
        ask(question, first, keep);
      }
      set_bytes(bits_[question.stream], mine_, first, keep);
    }
  });
}

/// Of the samples that are kept so far alone: what others hold is nobody's business.
void SelectedSamples::ask(const Question& question, std::uint64_t first, std::vector<std::uint8_t>& keep) const {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < keep.size(); ++i)
    if (keep[i] != 0) places.push_back(i);
  const auto kept = [&](const auto& all) -> condition::ColumnValues {
    if (places.size() == all.size()) return all;
    std::decay_t<decltype(all)> some;
    some.reserve(places.size());
    for (const auto i : places) some.push_back(all[i]);
    return some;
  };
  std::vector<condition::ColumnValues> values;
  for (const auto column : question.columns) values.push_back(std::visit(kept, columns_.values(column)));
  std::vector<std::uint8_t> holds(places.size());
  try {
    question.condition->evaluate(values, holds);
  } catch (const condition::ConditionValueError& error) {
    throw_bad_row(question, first + places[error.row], error);
  }
  for (std::size_t i = 0; i < places.size(); ++i) keep[places[i]] = holds[i];
}

/// The message with the stream and with file and row, which go before the lines that show the condition.
void SelectedSamples::throw_bad_row(const Question& question, std::uint64_t sample, const UsageError& error) const {
  std::string what = error.what();
  for (const auto& file : catalog_.files)
    if (sample >= file.first_sample && sample < file.first_sample + file.samples)
      what.insert(std::min(what.find('\n'), what.size()),
                  " (row " + std::to_string(sample - file.first_sample) + " of " + file.path + ")");
  throw Error("stream '" + choices_[question.stream].stream + "': where: " + what);
}

void SelectedSamples::check_found() const {
  for (const auto& open : questions_.lists) {
    const auto all = topology_.all.allgather(std::string(open.found.begin(), open.found.end()));
    std::uint64_t missing = 0;
    std::string first;
    for (std::size_t i = 0; i < open.list.size(); ++i) {
      const bool found = std::any_of(all.begin(), all.end(), [&](const std::string& f) { return f[i] != 0; });
      if (!found && missing++ == 0) first = open.list.value(i);
    }
    require(missing == 0, "stream '" + open.stream + "': " + std::to_string(missing) + " of the " +
                              std::to_string(open.list.size()) + " values of " + open.file +
                              " are no ids of the stream's samples (the first of them: " + first + ")");
  }
}

void SelectedSamples::count() {
  for (std::size_t s = 0; s < choices_.size(); ++s)
    sizes_.push_back(by_data(s) ? topology_.all.sum(plan::SampleSet(mine_, bits_[s]).size())
                                : choices_[s].selection.size());
  for (std::size_t s = 0; s < choices_.size(); ++s)
    if (sizes_[s] == 0)
      throw UsageError("stream '" + choices_[s].stream + "': no sample is left of " +
                       std::to_string(choices_[s].selection.size()) + " (where and select together); widen them");
  stored_size_ = stored_.size();
  if (!stored_by_data_) return;
  auto& stored = bits_.back();
  stored = bits_of(stored_, mine_);
  for (std::size_t s = 0; s < choices_.size(); ++s)
    for (std::size_t w = 0; w < bits_[s].size(); ++w) stored[w] |= bits_[s][w];
  const plan::SampleSet set(mine_, stored);
  stored_size_ = topology_.all.sum(set.size());

  // Buckets of equal width, aligned to chunks where they are not smaller.
  const auto width = [&](const plan::Slab& part) {
    const auto even =
        std::max<std::uint64_t>(1, (part.last - part.first + buckets_per_stager - 1) / buckets_per_stager);
    return (even + align_ - 1) / align_ * align_;
  };
  std::array<std::uint64_t, buckets_per_stager> counts{};
  for (std::uint64_t b = 0; b < buckets_per_stager; ++b)
    counts[b] = set.below(mine_.first + (b + 1) * width(mine_)) - set.below(mine_.first + b * width(mine_));
  const auto all = topology_.all.allgather(counts);
  for (std::size_t p = 0; p < parts_.size(); ++p)
    for (std::uint64_t b = 0; b < buckets_per_stager; ++b) {
      const auto start = parts_[p].first + b * width(parts_[p]);
      if (start >= parts_[p].last) break;
      histogram_.starts.push_back(start);
      histogram_.counts.push_back(all[p][b]);
    }
}

void SelectedSamples::count_shared() {
  std::vector<Bits> known(choices_.size());  // of streams whose samples are known, where another's the data decide
  const auto bits = [&](std::size_t s) -> const Bits& {
    if (by_data(s)) return bits_[s];
    if (known[s].empty()) known[s] = bits_of(choices_[s].selection, mine_);
    return known[s];
  };
  for (std::size_t a = 0; a < choices_.size(); ++a)
    for (std::size_t b = a + 1; b < choices_.size(); ++b) {
      auto shared = shared_without_data(choices_[a], choices_[b]);
      if (!shared) {
        std::uint64_t mine = 0;
        const auto &ours = bits(a), &theirs = bits(b);
        for (std::size_t w = 0; w < ours.size(); ++w)
          mine += static_cast<std::uint64_t>(std::popcount(ours[w] & theirs[w]));
        shared = topology_.all.sum(mine);
      }
      if (*shared > 0) shared_.push_back({choices_[a].stream, choices_[b].stream, *shared, sizes_[a], sizes_[b]});
    }
}

std::vector<plan::Slab> SelectedSamples::divide(std::span<const double> weights) const {
  return stored_by_data_ ? plan::divide(catalog_.samples, histogram_, weights)
                         : plan::divide(catalog_.samples, stored_, align_, weights);
}

std::vector<std::vector<plan::SampleSet>> SelectedSamples::sets_here(const std::vector<plan::Slab>& slabs) const {
  std::vector<std::string> parcels(topology_.stagers());
  for (std::uint32_t to = 0; to < topology_.stagers(); ++to) {
    const auto& node = topology_.nodes[topology_.node_of(to)];
    for (std::size_t b = 0; b < bits_.size(); ++b)
      if (b + 1 < bits_.size() ? by_data(b) : stored_by_data_)
        for (auto holder = node.first; holder < node.first + node.stagers; ++holder)
          pack_bits(bits_[b], mine_, slabs[holder], b, holder, parcels[to]);
  }
  const auto& here = topology_.here();
  std::vector<std::vector<Bits>> words(bits_.size(), std::vector<Bits>(here.stagers));
  for (auto& set : words)
    for (std::uint32_t i = 0; i < here.stagers; ++i) {
      const auto& slab = slabs[here.first + i];
      set[i].resize((slab.last - slab.first + 63) / 64);
    }
  for (const auto& parcel : topology_.all.alltoall(parcels))
    unpack_bits(parcel, [&](std::size_t set, std::uint32_t holder) -> BitsOfSlab {
      return {words[set][holder - here.first], slabs[holder]};
    });
  std::vector<std::vector<plan::SampleSet>> sets(bits_.size());
  for (std::size_t b = 0; b < bits_.size(); ++b)
    for (std::uint32_t i = 0; i < here.stagers; ++i)
      sets[b].emplace_back(slabs[here.first + i], std::move(words[b][i]));
  return sets;
}

Placed SelectedSamples::place(std::vector<plan::Slab> slabs) const {
  const bool any = std::any_of(choices_.begin(), choices_.end(), [](const Choice& c) { return c.by_data(); });
  auto sets = any ? sets_here(slabs) : std::vector<std::vector<plan::SampleSet>>(bits_.size());
  const auto members = [&](std::size_t set) {
    const auto counts = topology_.all.allgather(std::uint64_t{sets[set][topology_.local()].size()});
    return plan::Members(counts, topology_.here().first, std::move(sets[set]));
  };
  Placed placed;
  for (std::size_t s = 0; s < choices_.size(); ++s)
    placed.members.push_back(by_data(s) ? members(s) : plan::Members(choices_[s].selection, slabs));
  auto stored = stored_by_data_ ? members(bits_.size() - 1) : plan::Members(stored_, slabs);
  placed.placement = mpi::together(topology_.all, [&] { return plan::Placement(std::move(slabs), std::move(stored)); });
  return placed;
}

}  // namespace headrace::data::selection
