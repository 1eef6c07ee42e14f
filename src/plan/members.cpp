#include "plan/members.hpp"

#include <algorithm>

#include "base/contract.hpp"

namespace headrace::plan {

Members::Members(Selection selection, std::span<const Slab> slabs) : selection_(std::move(selection)) {
  first_.reserve(slabs.size() + 1);
  for (const auto& slab : slabs) first_.push_back(selection_->lower_bound({slab.first}).value);
  first_.push_back(selection_->size());
}

std::vector<std::uint64_t> Members::sums(std::span<const std::uint64_t> counts) {
  std::uint64_t before = 0;
  std::vector<std::uint64_t> first;
  first.reserve(counts.size() + 1);
  for (const auto count : counts) {
    first.push_back(before);
    before += count;
  }
  first.push_back(before);
  return first;
}

Members::Members(std::span<const std::uint64_t> counts, std::uint32_t first_here, std::vector<SampleSet> here)
    : first_(sums(counts)), first_here_(first_here), here_(std::move(here)) {
  for (std::size_t i = 0; i < here_.size(); ++i) EXPECTS(here_[i].size() == counts[first_here + i]);
}

Members::Members(std::span<const std::uint64_t> counts, std::uint32_t first_here,
                 std::shared_ptr<const std::vector<Multiset>> here)
    : first_(sums(counts)), first_here_(first_here), copies_(std::move(here)) {
  for (std::size_t i = 0; i < copies_->size(); ++i) EXPECTS((*copies_)[i].size() == counts[first_here + i]);
}

bool Members::contains(std::uint32_t stager, std::uint64_t sample) const {
  if (selection_) return selection_->contains({sample});
  return repeats() ? multiset(stager).count(sample) > 0 : set(stager).contains(sample);
}

std::uint64_t Members::ordinal(std::uint32_t stager, std::uint64_t sample) const {
  if (selection_) return selection_->lower_bound({sample}).value;
  return first_[stager] + (repeats() ? multiset(stager).below(sample) : set(stager).below(sample));
}

std::uint64_t Members::copies(std::uint32_t stager, std::uint64_t sample) const {
  return repeats() ? multiset(stager).count(sample) : contains(stager, sample);
}

std::uint64_t Members::place(std::uint32_t stager, std::uint64_t sample) const {
  return ordinal(stager, sample) - first_[stager];
}

void Members::samples(std::uint32_t stager, std::span<const std::uint64_t> ordinals,
                      std::span<std::int64_t> samples) const {
  if (selection_)
    selection_->samples(ordinals, samples);
  else if (repeats())
    multiset(stager).samples(ordinals, first_[stager], samples);
  else
    set(stager).samples(ordinals, first_[stager], samples);
}

void Members::places(std::uint32_t stager, std::span<const std::int64_t> samples, std::span<std::uint32_t> out) const {
  EXPECTS(!repeats());
  if (selection_)
    selection_->ordinals(samples, first_[stager], out);
  else
    set(stager).ranks(samples, out);
}

void Members::runs(std::uint32_t stager, std::uint64_t first, std::uint64_t last,
                   const std::function<void(std::uint64_t, std::uint64_t)>& f) const {
  EXPECTS(!repeats());
  if (!selection_) return set(stager).runs(first, last, f);
  const auto end = selection_->lower_bound({last}).value;
  for (auto k = selection_->lower_bound({first}).value; k < end;) {
    const auto begin = selection_->sample({k}).value;
    const auto neighbours = [&](std::uint64_t n) { return selection_->sample({k + n - 1}).value == begin + n - 1; };
    std::uint64_t count = 1;  // the most for which neighbours() holds: it holds for all smaller ones, too
    if (end - k > 1 && neighbours(2)) {
      std::uint64_t beyond = end - k + 1;
      while (beyond - count > 1) {
        const auto middle = count + (beyond - count) / 2;
        (neighbours(middle) ? count : beyond) = middle;
      }
    }
    f(begin, count);
    k += count;
  }
}

}  // namespace headrace::plan
