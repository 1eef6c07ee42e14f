#include "data/selection/selected_samples.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "base/error.hpp"
#include "data/selection/mixing.hpp"
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
      streams_(choices.size()),
      choices_(std::move(choices)),
      topology_(topology),
      options_(options),
      align_(catalog.largest_chunk()),
      parts_(plan::divide(catalog.samples, plan::Selection::all(catalog.samples), align_,
                          std::vector<double>(topology.stagers(), 1.0))),
      mine_(parts_[topology.me()]),
      columns_(contents, catalog) {
  mpi::together(topology_.all, [&] {
    for (auto& one : choose_classes(config, catalog)) choices_.push_back(std::move(one));
  });
  bits_.resize(choices_.size() + 1);
  const bool classes_by_data = std::any_of(choices_.begin() + static_cast<std::ptrdiff_t>(streams_), choices_.end(),
                                           [](const Choice& c) { return c.by_data(); });
  for (std::size_t s = 0; s < choices_.size(); ++s)
    by_data_.push_back(choices_[s].by_data() || classes_by_data);  // then of whatever a class decides, the data decide
  std::vector<plan::Selection> known;
  for (std::size_t s = 0; s < streams_; ++s)
    if (!by_data(s)) known.push_back(choices_[s].selection);
  stored_ = plan::Selection::unite(known);
  stored_by_data_ = known.size() < streams_ && stored_.size() < catalog.samples;
  look();
  settle_classes();
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
            choices_[stream].who() + ": " + file + " lists sample " + std::to_string(outside) + ", but there are " +
                std::to_string(catalog_.samples));
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
  throw Error(choices_[question.stream].who() + ": where: " + what);
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

/// Streams have only what is of a class, where that is for the data to say.
void SelectedSamples::settle_classes() {
  of_no_class_.resize(streams_);
  if (classes() == 0) return;
  check_disjoint();
  if (!by_data(streams_)) return;  // made of files, each of which is of one
  Bits any((mine_.last - mine_.first + 63) / 64);
  for (std::size_t c = streams_; c < choices_.size(); ++c)
    for (std::size_t w = 0; w < any.size(); ++w) any[w] |= bits_[c][w];
  for (std::size_t s = 0; s < streams_; ++s) {
    std::uint64_t left_out = 0;
    for (std::size_t w = 0; w < any.size(); ++w) {
      left_out += static_cast<std::uint64_t>(std::popcount(bits_[s][w] & ~any[w]));
      bits_[s][w] &= any[w];
    }
    of_no_class_[s] = topology_.all.sum(left_out);
  }
}

/// Files were looked at; this is about what conditions say.
void SelectedSamples::check_disjoint() const {
  if (!by_data(streams_)) return;
  for (std::size_t a = streams_; a < choices_.size(); ++a)
    for (std::size_t b = a + 1; b < choices_.size(); ++b) {
      std::uint64_t first = catalog_.samples, shared = 0;
      for (std::size_t w = 0; w < bits_[a].size(); ++w) {
        const auto common = bits_[a][w] & bits_[b][w];
        if (common != 0 && shared == 0) first = mine_.first + 64 * w + static_cast<unsigned>(std::countr_zero(common));
        shared += static_cast<std::uint64_t>(std::popcount(common));
      }
      shared = topology_.all.sum(shared);
      first = topology_.all.min(first);
      if (shared == 0) continue;
      std::string where;
      for (const auto& file : catalog_.files)
        if (first >= file.first_sample && first < file.first_sample + file.samples)
          where = " (row " + std::to_string(first - file.first_sample) + " of " + file.path + ")";
      throw UsageError("classes '" + choices_[a].stream + "' and '" + choices_[b].stream + "' share " +
                       std::to_string(shared) + (shared == 1 ? " sample" : " samples") + ", the first of them " +
                       std::to_string(first) + where +
                       "; a sample is of one class: make their conditions exclude each other");
    }
}

/// What a stream has of a class.
SelectedSamples::Set SelectedSamples::set_of(std::size_t stream, std::size_t one) const {
  const auto c = streams_ + one;
  if (!by_data(stream) && !by_data(c)) return {false, {}, both(choices_[stream].selection, choices_[c].selection)};
  const auto bits = [&](std::size_t s) { return by_data(s) ? bits_[s] : bits_of(choices_[s].selection, mine_); };
  Set set{true, bits(stream)};
  const auto of_class = bits(c);
  for (std::size_t w = 0; w < set.bits.size(); ++w) set.bits[w] &= of_class[w];
  return set;
}

void SelectedSamples::count() {
  for (std::size_t s = 0; s < streams_; ++s)
    sizes_.push_back(by_data(s) ? topology_.all.sum(plan::SampleSet(mine_, bits_[s]).size())
                                : choices_[s].selection.size());
  for (std::size_t s = 0; s < streams_; ++s)
    if (sizes_[s] == 0)
      throw UsageError(choices_[s].who() + ": no sample is left of " + std::to_string(choices_[s].selection.size()) +
                       (of_no_class_[s] > 0 ? " (where, select and classes together); widen them"
                                            : " (where and select together); widen them"));
  class_sizes_.resize(streams_);
  for (std::size_t s = 0; s < streams_; ++s) {
    if (!mixes(config_.streams[s])) continue;
    for (std::size_t c = 0; c < classes(); ++c) {
      const auto set = set_of(s, c);
      class_sizes_[s].push_back(set.by_data ? topology_.all.sum(plan::SampleSet(mine_, set.bits).size())
                                            : set.selection.size());
      if (class_sizes_[s].back() == 0)
        throw UsageError(
            choices_[s].who() + ": class '" + choices_[streams_ + c].stream +
            "' has no sample there, and mix wants some of it; widen the stream or the class, or leave the class out");
    }
  }
  stored_size_ = stored_.size();
  if (!stored_by_data_) return;
  auto& stored = bits_.back();
  stored = bits_of(stored_, mine_);
  for (std::size_t s = 0; s < streams_; ++s)
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
  for (std::size_t a = 0; a < streams_; ++a)
    for (std::size_t b = a + 1; b < streams_; ++b) {
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

/// Choices in their order, then what is stored, then stream by stream what it has of each class.
std::vector<SelectedSamples::Set> SelectedSamples::all_sets() const {
  std::vector<Set> sets;
  for (std::size_t s = 0; s < choices_.size(); ++s) sets.push_back({by_data(s), bits_[s], choices_[s].selection});
  sets.push_back({stored_by_data_, bits_.back(), stored_});
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
      made[b].emplace_back(slabs[here.first + i], std::move(words[b][i]));
  return made;
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
    std::vector<plan::Members> of_classes;
    for (std::size_t c = 0; c < class_sizes_[s].size(); ++c) of_classes.push_back(members());
    placed.strata.push_back(of_classes.empty() ? plan::Strata(std::move(whole[s]))
                                               : plan::Strata(std::move(of_classes)));
  }
  placed.placement = mpi::together(topology_.all, [&] { return plan::Placement(std::move(slabs), std::move(stored)); });
  return placed;
}

}  // namespace headrace::data::selection
