#include "data/selection/selected_samples.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>

#include "base/error.hpp"
#include "data/selection/mixing.hpp"
#include "data/selection/sample_bits.hpp"
#include "mpi/agree.hpp"
#include "plan/permutation.hpp"
#include "plan/word_bits.hpp"

namespace headrace::data::selection {

namespace {

constexpr std::uint64_t samples_at_a_time = 1 << 20;  // whose columns are held in memory
constexpr std::uint64_t gap_rows = 64;                // that are read along rather than skipped
constexpr std::uint64_t buckets_per_stager = 128;     // balance of the stored samples: within a percent

std::uint64_t size_of(const std::vector<std::uint64_t>& bits) {
  std::uint64_t size = 0;
  for (const auto word : bits) size += plan::count_bits(word);
  return size;
}

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
      columns_(contents, catalog),
      drawing_(config, catalog, topology, mine_),
      times_(streams_) {
  mpi::together(topology_.all, [&] {
    for (auto& one : choose_classes(config, catalog)) choices_.push_back(std::move(one));
  });
  bits_.resize(choices_.size() + 1);
  const bool classes_by_data = std::any_of(choices_.begin() + static_cast<std::ptrdiff_t>(streams_), choices_.end(),
                                           [](const Choice& c) { return c.by_data(); });
  for (std::size_t s = 0; s < choices_.size(); ++s)
    by_data_.push_back(choices_[s].by_data() || classes_by_data ||  // then of whatever a class decides, the data decide
                       (s < streams_ && drawing_.asks(s)));
  std::vector<plan::Selection> known;
  for (std::size_t s = 0; s < streams_; ++s)
    if (!by_data(s)) known.push_back(choices_[s].selection);
  stored_ = plan::Selection::unite(known);
  stored_by_data_ = known.size() < streams_ && stored_.size() < catalog.samples;
  look();
  settle_classes();
  settle_draws();
  count();
  count_shared();
}

void SelectedSamples::look() {
  questions_ = mpi::together(topology_.all, [&] {
    drawing_.add_columns(columns_);
    return questions_of(choices_, columns_);
  });
  for (std::size_t s = 0; s < choices_.size(); ++s) {
    if (!by_data(s)) continue;
    bits_[s] = bits_of(choices_[s].selection, mine_);
    if (choices_[s].list && choices_[s].list->repeats) times_[s].resize(mine_.last - mine_.first);
    if (choices_[s].part) keep_parts(s);
    if (choices_[s].list && choices_[s].list->by == "index") keep_listed_numbers(s);
  }
  if (!columns_.empty()) look_at_columns();
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
  const auto& [file, by, repeats] = *choices_[stream].list;
  mpi::together(topology_.all, [&] {
    const auto list = IdList::read(file, false, choices_[stream].stream, repeats);
    const auto& numbers = list.numbers();
    const auto outside = numbers.front() < 0 ? numbers.front() : numbers.back();
    require(numbers.front() >= 0 && static_cast<std::uint64_t>(numbers.back()) < catalog_.samples,
            choices_[stream].who() + ": " + file + " lists sample " + std::to_string(outside) + ", but there are " +
                std::to_string(catalog_.samples));
    keep_where(bits_[stream], mine_, [&](std::uint64_t first, std::span<std::uint8_t> keep) {
      auto at = std::lower_bound(numbers.begin(), numbers.end(), static_cast<std::int64_t>(first));
      for (; at != numbers.end() && static_cast<std::uint64_t>(*at) - first < keep.size(); ++at) {
        const auto i = static_cast<std::uint64_t>(*at) - first;
        keep[i] = 1;
        if (repeats)
          times_[stream][first - mine_.first + i] = list.times(static_cast<std::size_t>(at - numbers.begin()));
      }
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
  for (std::size_t s = 0; s < streams_; ++s)
    for (std::size_t w = 0; drawing_.asks(s) && w < asked.size(); ++w) asked[w] |= bits_[s][w];
  const auto intervals =
      intervals_in(plan::SampleSet(mine_, std::move(asked), plan::SampleSet::Ask::ranks), first, last, gap_rows);
  columns_.read(topology_.all, first, last, intervals, options_);
  mpi::together(topology_.all, [&] {
    for (auto& question : questions_.all) {
      auto keep = bytes_of(bits_[question.stream], mine_, first, last);
      if (question.condition == nullptr) {
        auto& open = questions_.lists[question.list];
        const std::span<std::uint32_t> times(times_[question.stream]);
        open.list.filter(columns_.values(question.columns[0]), keep, open.found,
                         times.empty() ? times : times.subspan(first - mine_.first, keep.size()));
      } else {
        ask(question, first, keep);
      }
      set_bytes(bits_[question.stream], mine_, first, keep);
    }
    std::vector<std::uint8_t> drawn(last - first);
    for (std::size_t s = 0; s < streams_; ++s)
      if (drawing_.asks(s))
        std::ranges::transform(drawn, bytes_of(bits_[s], mine_, first, last), drawn.begin(), std::bit_or<>());
    if (drawing_.asks()) drawing_.look(first, drawn, columns_);
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

/// How often samples come, where streams say; and those that never do are out.
void SelectedSamples::settle_draws() {
  std::vector<Bits> of_classes;
  for (auto c = streams_; c < choices_.size(); ++c)
    if (drawing_.asks()) of_classes.push_back(by_data(c) ? bits_[c] : bits_of(choices_[c].selection, mine_));
  for (std::size_t s = 0; s < streams_; ++s) {
    if (drawing_.asks(s)) drawing_.settle(s, bits_[s], of_classes);
    if (!choices_[s].list || !choices_[s].list->repeats) continue;
    const auto keep = bytes_of(bits_[s], mine_, mine_.first, mine_.last);
    for (std::size_t i = 0; i < keep.size(); ++i) times_[s][i] *= keep[i];
    drawing_.settle_list(s, times_[s]);
  }
}

std::vector<std::uint64_t> SelectedSamples::positions() const {
  auto all = sizes_;
  for (std::size_t s = 0; s < streams_; ++s)
    if (const auto& draw = drawing_.stream(s).draw) all[s] = draw->positions();
  return all;
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
    sizes_.push_back(by_data(s) ? topology_.all.sum(size_of(bits_[s])) : choices_[s].selection.size());
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
      class_sizes_[s].push_back(set.by_data ? topology_.all.sum(size_of(set.bits)) : set.selection.size());
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
  const plan::SampleSet set(mine_, stored, plan::SampleSet::Ask::ranks);
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

}  // namespace headrace::data::selection
