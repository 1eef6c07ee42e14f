// The union of strided ranges, as segments of one pattern each.
#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "plan/selection.hpp"

namespace headrace::plan {

namespace {

constexpr std::uint64_t longest_pattern = 1024;  // unions cost its square

std::uint64_t lcm_of_steps(std::span<const Range> ranges) {
  std::uint64_t lcm = 1;
  for (const auto& range : ranges) {
    const auto factor = range.step / std::gcd(lcm, range.step);
    if (lcm > std::numeric_limits<std::uint64_t>::max() / factor) return std::numeric_limits<std::uint64_t>::max();
    lcm *= factor;
  }
  return lcm;
}

/// How far behind `from` the range selects its next sample; range.first <= from.
std::uint64_t distance_to_next(const Range& range, std::uint64_t from) {
  const auto past = (from - range.first) % range.step;
  return past == 0 ? 0 : range.step - past;
}

bool covers(const Range& wide, const Range& narrow, std::uint64_t from) {
  return narrow.step % wide.step == 0 && distance_to_next(narrow, from) % wide.step == distance_to_next(wide, from);
}

/// Without those that another one covers from `from` on.
std::vector<Range> without_covered(std::vector<Range> ranges, std::uint64_t from) {
  std::stable_sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.step < b.step; });
  std::vector<Range> kept;
  for (const auto& range : ranges)
    if (std::none_of(kept.begin(), kept.end(), [&](const Range& other) { return covers(other, range, from); }))
      kept.push_back(range);
  return kept;
}

/// No more than this many offsets_within(..., window); saturates.
std::uint64_t most_within(std::span<const Range> ranges, std::uint64_t window) {
  std::uint64_t most = 0;
  for (const auto& range : ranges) most += std::min((window - 1) / range.step + 1, longest_pattern + 1);
  return most;
}

/// All of [0, window) behind `from` that some range selects.
std::vector<std::uint64_t> offsets_within(std::span<const Range> ranges, std::uint64_t from, std::uint64_t window) {
  std::vector<std::uint64_t> offsets;
  for (const auto& range : ranges)
    for (auto at = distance_to_next(range, from); at < window; at += range.step) offsets.push_back(at);
  std::sort(offsets.begin(), offsets.end());
  offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
  return offsets;
}

/// The shortest pattern that repeated gives this one.
void shorten(Segment& segment) {
  auto& offsets = segment.offsets;
  const std::uint64_t m = offsets.size();
  for (std::uint64_t k = 1; k < m; ++k) {
    if (m % k != 0 || segment.period * k % m != 0) continue;
    const auto period = segment.period * k / m;
    bool repeats = true;
    for (std::uint64_t i = 0; repeats && i + k < m; ++i) repeats = offsets[i + k] == offsets[i] + period;
    if (!repeats) continue;
    segment.period = period;
    offsets.resize(k);
    return;
  }
}

[[noreturn]] void refuse_pattern(std::span<const Range> ranges) {
  std::string steps;
  for (std::size_t i = 0; i < std::min<std::size_t>(ranges.size(), 4); ++i)
    steps += (i ? ", " : "") + std::to_string(ranges[i].step);
  throw UsageError("slices with steps " + steps + (ranges.size() > 4 ? ", ..." : "") +
                   " overlap, and their union repeats only after more than " + std::to_string(longest_pattern) +
                   " selected samples; use steps that divide each other, or slices that do not overlap");
}

/// The union in [from, to), where it is enumerated over one period of all steps or, if that is longer, to the end.
Segment enumerated(std::span<const Range> ranges, std::uint64_t from, std::uint64_t to) {
  const auto window = std::min(lcm_of_steps(ranges), to - from);
  if (most_within(ranges, window) > longest_pattern) refuse_pattern(ranges);
  Segment segment{from, to, window, offsets_within(ranges, from, window)};
  auto& offsets = segment.offsets;
  if (offsets.empty()) return segment;
  const auto start = offsets.front();
  for (auto& offset : offsets) offset -= start;
  segment.first += start;
  shorten(segment);
  return segment;
}

/// What the ranges, all of which reach over [from, to), select there. Nothing: a segment without offsets.
Segment segment_within(std::vector<Range> ranges, std::uint64_t from, std::uint64_t to) {
  const auto everything =
      std::find_if(ranges.begin(), ranges.end(), [](const Range& range) { return range.step == 1; });
  if (everything != ranges.end()) return {from, to};
  if (most_within(ranges, std::min(lcm_of_steps(ranges), to - from)) > longest_pattern)
    ranges = without_covered(std::move(ranges), from);
  Segment segment{from, to};
  if (ranges.size() == 1) {
    segment.first = from + distance_to_next(ranges.front(), from);
    segment.period = ranges.front().step;
    if (segment.first >= to) segment.offsets.clear();
  } else {
    segment = enumerated(ranges, from, to);
  }
  if (segment.offsets.empty()) return segment;
  segment.last = segment.sample(segment.count() - 1) + 1;
  return segment.count() == 1 ? Segment{segment.first, segment.last} : segment;
}

/// True if `next` selects what would come next in the pattern of `segment`.
bool continues(const Segment& segment, const Segment& next) {
  const auto count = segment.count(), more = next.count();
  const auto pattern = segment.offsets.size();
  if (more > pattern && (next.period != segment.period || next.offsets.size() != pattern)) return false;
  for (std::uint64_t k = 0; k < std::min<std::uint64_t>(more, pattern); ++k)
    if (segment.sample(count + k) != next.sample(k)) return false;
  return true;
}

/// Extends the segment backwards over `front`, if its pattern, continued backwards, selects the same there.
bool absorb(const Segment& front, Segment& segment) {
  const auto count = front.count(), pattern = std::uint64_t{segment.offsets.size()};
  if (count > pattern) return false;
  for (std::uint64_t k = 0; k < count; ++k)
    if (segment.first + segment.offsets[pattern - count + k] != front.sample(k) + segment.period) return false;
  std::vector<std::uint64_t> offsets;
  for (std::uint64_t k = 0; k < pattern; ++k)
    offsets.push_back((k < count ? front.sample(k) : segment.sample(k - count)) - front.first);
  segment.first = front.first;
  segment.offsets = std::move(offsets);
  return true;
}

}  // namespace

void Selection::append(Segment segment) {
  if (!segments_.empty() && continues(segments_.back(), segment)) {
    size_ += segment.count();
    segments_.back().last = segment.last;
    return;
  }
  while (!segments_.empty() && absorb(segments_.back(), segment)) {
    size_ -= segments_.back().count();
    segments_.pop_back();
  }
  segment.before = size_;
  size_ += segment.count();
  segments_.push_back(std::move(segment));
}

Selection Selection::of(std::span<const Range> ranges) {
  std::vector<Range> ascending;
  std::vector<std::uint64_t> borders;
  for (const auto& range : ranges) {
    EXPECTS(range.step >= 1);
    if (range.count() == 0) continue;
    const auto last = range.first + (range.count() - 1) * range.step + 1;
    ascending.push_back({range.first, last, last - range.first == 1 ? 1 : range.step});
    borders.insert(borders.end(), {range.first, last});
  }
  std::sort(ascending.begin(), ascending.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  std::sort(borders.begin(), borders.end());
  borders.erase(std::unique(borders.begin(), borders.end()), borders.end());

  // Between two neighbouring borders the same ranges are in force all the way.
  Selection selection;
  std::vector<Range> in_force;
  auto coming = ascending.begin();
  for (std::size_t b = 0; b + 1 < borders.size(); ++b) {
    std::erase_if(in_force, [&](const Range& range) { return range.last <= borders[b]; });
    for (; coming != ascending.end() && coming->first == borders[b]; ++coming) in_force.push_back(*coming);
    if (in_force.empty()) continue;
    auto segment = segment_within(in_force, borders[b], borders[b + 1]);
    if (!segment.offsets.empty()) selection.append(std::move(segment));
  }
  return selection;
}

Selection Selection::unite(std::span<const Selection> parts) {
  std::vector<Range> ranges;
  for (const auto& part : parts) {
    const auto more = part.ranges();
    ranges.insert(ranges.end(), more.begin(), more.end());
  }
  return of(ranges);
}

}  // namespace headrace::plan
