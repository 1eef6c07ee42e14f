#include "plan/selection.hpp"

#include <algorithm>

#include "base/contract.hpp"

namespace headrace::plan {

namespace {

/// Index of the first segment that does not end at or before the sample.
std::size_t index_by_sample(const std::vector<Segment>& segments, std::uint64_t sample) {
  return static_cast<std::size_t>(
      std::partition_point(segments.begin(), segments.end(), [&](const Segment& s) { return s.last <= sample; }) -
      segments.begin());
}

/// Index of the segment that holds the ordinal.
std::size_t index_by_ordinal(const std::vector<Segment>& segments, std::uint64_t ordinal) {
  return static_cast<std::size_t>(std::partition_point(segments.begin(), segments.end(),
                                                       [&](const Segment& s) { return s.before <= ordinal; }) -
                                  segments.begin()) -
         1;
}

void samples_of(const Segment& segment, std::span<const std::uint64_t> ordinals, std::int64_t* samples) {
  const std::uint64_t first = segment.first, before = segment.before, period = segment.period;
  if (period == 1)
    for (std::size_t i = 0; i < ordinals.size(); ++i)
      samples[i] = static_cast<std::int64_t>(first + (ordinals[i] - before));
  else if (segment.offsets.size() == 1)
    for (std::size_t i = 0; i < ordinals.size(); ++i)
      samples[i] = static_cast<std::int64_t>(first + (ordinals[i] - before) * period);
  else
    for (std::size_t i = 0; i < ordinals.size(); ++i)
      samples[i] = static_cast<std::int64_t>(segment.sample(ordinals[i] - before));
}

void ordinals_of(const Segment& segment, std::span<const std::int64_t> samples, std::uint64_t base,
                 std::uint32_t* out) {
  const std::uint64_t shift = segment.before - base;  // wraps where base is larger; the sum below comes back
  if (segment.period == 1)
    for (std::size_t i = 0; i < samples.size(); ++i)
      out[i] = static_cast<std::uint32_t>(static_cast<std::uint64_t>(samples[i]) - segment.first + shift);
  else
    for (std::size_t i = 0; i < samples.size(); ++i)
      out[i] = static_cast<std::uint32_t>(segment.count_below(static_cast<std::uint64_t>(samples[i])) + shift);
}

}  // namespace

std::uint64_t Segment::count_below(std::uint64_t sample) const {
  if (sample <= first) return 0;
  const std::uint64_t distance = std::min(sample, last) - first;
  if (offsets.size() == 1) return (distance - 1) / period + 1;
  const auto rest = std::lower_bound(offsets.begin(), offsets.end(), distance % period) - offsets.begin();
  return distance / period * offsets.size() + static_cast<std::uint64_t>(rest);
}

std::uint64_t Segment::sample(std::uint64_t k) const {
  return first + k / offsets.size() * period + offsets[k % offsets.size()];
}

Selection Selection::all(std::uint64_t samples) {
  Selection selection;
  if (samples > 0) selection.append({0, samples});
  return selection;
}

std::vector<Range> Selection::ranges() const {
  std::vector<Range> ranges;
  for (const auto& segment : segments_)
    for (const auto offset : segment.offsets) ranges.push_back({segment.first + offset, segment.last, segment.period});
  return ranges;
}

Sample Selection::sample(Ordinal k) const {
  EXPECTS(k.value < size_);
  const auto& segment = segments_[index_by_ordinal(segments_, k.value)];
  return {segment.sample(k.value - segment.before)};
}

Ordinal Selection::lower_bound(Sample s) const {
  const auto i = index_by_sample(segments_, s.value);
  if (i == segments_.size()) return {size_};
  return {segments_[i].before + segments_[i].count_below(s.value)};
}

bool Selection::contains(Sample s) const {
  return lower_bound(s + 1) != lower_bound(s);
}

void Selection::samples(std::span<const std::uint64_t> ordinals, std::span<std::int64_t> samples) const {
  EXPECTS(ordinals.size() == samples.size());
  for (std::size_t i = 0; i < ordinals.size();) {
    const auto& segment = segments_[index_by_ordinal(segments_, ordinals[i])];
    auto mine = ordinals.subspan(i);
    if (&segment != &segments_.back())
      mine = mine.first(
          static_cast<std::size_t>(std::lower_bound(mine.begin(), mine.end(), (&segment + 1)->before) - mine.begin()));
    samples_of(segment, mine, samples.data() + i);
    i += mine.size();
  }
}

void Selection::ordinals(std::span<const std::int64_t> samples, std::uint64_t base,
                         std::span<std::uint32_t> out) const {
  EXPECTS(samples.size() == out.size());
  for (std::size_t i = 0; i < samples.size();) {
    const auto index = index_by_sample(segments_, static_cast<std::uint64_t>(samples[i]));
    EXPECTS(index < segments_.size());
    const auto& segment = segments_[index];
    auto mine = samples.subspan(i);
    if (&segment != &segments_.back())
      mine = mine.first(static_cast<std::size_t>(
          std::lower_bound(mine.begin(), mine.end(), static_cast<std::int64_t>(segment.last)) - mine.begin()));
    ordinals_of(segment, mine, base, out.data() + i);
    i += mine.size();
  }
}

}  // namespace headrace::plan
