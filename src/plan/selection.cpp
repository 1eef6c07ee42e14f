#include "plan/selection.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

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

namespace {

__extension__ typedef __int128 Wide;  // the keyword does not go with `using`

/// x with a * x = 1 modulo m, for coprime a and m.
Wide inverse(Wide a, Wide m) {
  Wide r0 = m, r1 = a % m, t0 = 0, t1 = 1;
  while (r1 != 0) {
    const Wide q = r0 / r1;
    r0 = std::exchange(r1, r0 - q * r1);
    t0 = std::exchange(t1, t0 - q * t1);
  }
  return t0 < 0 ? t0 + m : t0;
}

/// How many of [from, to) both first + k * step and other + k * other_step select: the numbers that leave the same
/// remainders, by the Chinese remainder theorem.
std::uint64_t common(std::uint64_t first, std::uint64_t step, std::uint64_t other, std::uint64_t other_step,
                     std::uint64_t from, std::uint64_t to) {
  if (from >= to) return 0;
  const auto divisor = std::gcd(step, other_step);
  const Wide apart = static_cast<Wide>(other) - static_cast<Wide>(first);
  if (apart % divisor != 0) return 0;
  const Wide modulus = other_step / divisor;
  const Wide turns = modulus == 1 ? 0
                                  : ((apart / divisor % modulus + modulus) % modulus) *
                                        inverse(static_cast<Wide>(step / divisor), modulus) % modulus;
  const Wide period = static_cast<Wide>(step) * modulus, start = static_cast<Wide>(first) + turns * step;
  const auto below = [&](std::uint64_t border) -> Wide {  // from the start on, counted down where that lies beyond
    const Wide distance = static_cast<Wide>(border) - start;
    return distance >= 0 ? (distance + period - 1) / period : -(-distance / period);
  };
  return static_cast<std::uint64_t>(below(to) - below(from));
}

std::uint64_t shared_by(const Segment& a, const Segment& b) {
  const auto from = std::max(a.first, b.first), to = std::min(a.last, b.last);
  const auto within = [&](const Segment& s) { return s.count_below(to) - s.count_below(from); };
  if (a.period == 1) return within(b);
  if (b.period == 1) return within(a);
  std::uint64_t shared = 0;
  for (const auto x : a.offsets)
    for (const auto y : b.offsets) shared += common(a.first + x, a.period, b.first + y, b.period, from, to);
  return shared;
}

}  // namespace

std::uint64_t shared(const Selection& one, const Selection& other) {
  std::uint64_t count = 0;
  auto a = one.segments().begin(), b = other.segments().begin();
  while (a != one.segments().end() && b != other.segments().end()) {
    if (a->first < b->last && b->first < a->last) count += shared_by(*a, *b);
    if (a->last < b->last)
      ++a;
    else
      ++b;
  }
  return count;
}

}  // namespace headrace::plan
