#include "data/selection/bins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/contract.hpp"

namespace headrace::data::selection {

namespace {

constexpr std::size_t most_buckets = 1 << 14;
constexpr int mantissa_bits = 52;
constexpr std::size_t at_a_time = 1024;  // samples, whose sums and flags stay in the first cache
constexpr std::uint8_t is_outside = 1, is_nan = 2;

/// The bucket of a value: grows with it, and stays within 0 .. last.
struct ByValue {
  double first, per_width, last;
  std::size_t operator()(double value) const {
    auto place = (value - first) * per_width;
    place = place > 0 ? place : 0;  // NaN, too
    return static_cast<std::size_t>(static_cast<std::int64_t>(place < last ? place : last));
  }
};
/// The same for values from 0 on: exponent and first bits of a double, read as a number, grow with it.
struct ByMagnitude {
  std::int64_t first;
  int shift;
  std::int64_t last;
  std::size_t operator()(double value) const {
    const auto key = (std::bit_cast<std::int64_t>(value) >> shift) - first;
    return static_cast<std::size_t>(std::clamp<std::int64_t>(key, 0, last));
  }
};

/// The edges between bins.
std::span<const double> inner(const std::vector<double>& edges) {
  return std::span(edges).subspan(1, edges.size() - 2);
}

template <class BucketOf>
bool one_edge_each(const std::vector<double>& edges, const BucketOf& bucket_of) {
  return std::ranges::adjacent_find(inner(edges), {}, bucket_of) == inner(edges).end();
}

std::int64_t key_of(double value, int shift) {
  return std::bit_cast<std::int64_t>(value) >> shift;
}

}  // namespace

/// The fewest buckets that will do.
Bins::Axis Bins::axis_of(const config::BinAxis& of, std::uint32_t stride) {
  const auto& edges = of.edges;
  Axis axis{.first = edges.front(), .last = edges.back(), .stride = stride};
  auto buckets = most_buckets + 1;
  for (auto number = edges.size() - 1; number <= most_buckets; number *= 2) {
    const auto per_width = static_cast<double>(number) / (axis.last - axis.first);
    if (!one_edge_each(edges, ByValue{axis.first, per_width, static_cast<double>(number - 1)})) continue;
    axis.by = Axis::By::value;
    axis.per_width = per_width;
    buckets = number;
    break;
  }
  for (int bits = 0; axis.first >= 0 && bits < mantissa_bits; ++bits) {
    const auto shift = mantissa_bits - bits;
    const auto first = key_of(axis.first, shift), last = key_of(axis.last, shift) - first;
    if (static_cast<std::size_t>(last) + 1 >= buckets) break;
    if (!one_edge_each(edges, ByMagnitude{first, shift, last})) continue;
    axis.by = Axis::By::magnitude;
    axis.first_key = first;
    axis.shift = shift;
    buckets = static_cast<std::size_t>(last) + 1;
    break;
  }
  if (axis.by == Axis::By::search) return axis;
  axis.buckets.assign(buckets, {std::numeric_limits<double>::infinity(), 0});
  axis.with_bucket_of([&](const auto& bucket_of) {
    for (const auto edge : inner(edges)) axis.buckets[bucket_of(edge)].edge = edge;
  });
  std::uint32_t below = 0;
  for (auto& bucket : axis.buckets) {
    bucket.below = below;
    if (bucket.edge < std::numeric_limits<double>::infinity()) below += stride;
  }
  return axis;
}

template <class F>
void Bins::Axis::with_bucket_of(const F& f) const {
  const auto number = static_cast<std::int64_t>(buckets.size()) - 1;
  if (by == By::value)
    f(ByValue{first, per_width, static_cast<double>(number)});
  else
    f(ByMagnitude{first_key, shift, number});
}

Bins::Bins(std::vector<config::BinAxis> axes) : axes_(std::move(axes)), made_(axes_.size()), stride_(axes_.size()) {
  for (std::size_t a = axes_.size(); a-- > 0;) {
    stride_[a] = size_;
    size_ *= bins_of(a);
    made_[a] = axis_of(axes_[a], stride_[a]);
  }
}

/// Adds to sums what the axis makes of these values, and says what is wrong with those that are in no bin.
template <bool absolute, class Number>
void Bins::find_along(std::size_t a, const Number* values, std::span<std::uint32_t> sums, std::span<std::uint8_t> wrong,
                      bool& any_wrong) const {
  const auto& axis = made_[a];
  const auto value_of = [&](std::size_t i) {
    const auto value = static_cast<double>(values[i]);
    return absolute ? std::fabs(value) : value;
  };
  std::uint64_t beyond = 0;  // or NaN: hardly ever any, so that they are looked for by themselves
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const auto value = value_of(i);
    beyond += value >= axis.first && value <= axis.last ? 0 : 1;
  }
  for (std::size_t i = 0; beyond > 0 && i < sums.size(); ++i) {
    const auto value = value_of(i);
    const bool inside = value >= axis.first && value <= axis.last;
    wrong[i] |= static_cast<std::uint8_t>((inside ? 0 : is_outside) | (value != value ? is_nan : 0));
  }
  any_wrong |= beyond > 0;
  if (axis.by == Axis::By::search) {
    const auto edges = inner(axes_[a].edges);
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] += axis.stride * static_cast<std::uint32_t>(std::ranges::upper_bound(edges, value_of(i)) - edges.begin());
    return;
  }
  axis.with_bucket_of([&](const auto& bucket_of) {
    const auto* const buckets = axis.buckets.data();
    const auto stride = axis.stride;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const auto value = value_of(i);
      const auto& bucket = buckets[bucket_of(value)];
      sums[i] += bucket.below + (stride & (0u - static_cast<std::uint32_t>(value >= bucket.edge)));  // no branch
    }
  });
}

void Bins::find(std::span<const condition::ColumnValues* const> values, std::span<std::uint32_t> out) const {
  EXPECTS(values.size() == axes_.size());
  std::array<std::uint8_t, at_a_time> flags;
  for (std::size_t first = 0; first < out.size(); first += at_a_time) {
    const auto sums = out.subspan(first, std::min(at_a_time, out.size() - first));
    const auto wrong = std::span(flags).first(sums.size());
    std::ranges::fill(sums, 0);
    std::ranges::fill(wrong, 0);
    bool any_wrong = false;
    for (std::size_t a = 0; a < axes_.size(); ++a)
      std::visit(
          [&](const auto& numbers) {
            if constexpr (std::is_arithmetic_v<typename std::decay_t<decltype(numbers)>::value_type>) {
              if (axes_[a].absolute)
                find_along<true>(a, numbers.data() + first, sums, wrong, any_wrong);
              else
                find_along<false>(a, numbers.data() + first, sums, wrong, any_wrong);
            }
          },
          *values[a]);
    for (std::size_t i = 0; any_wrong && i < sums.size(); ++i)
      if (wrong[i] != 0) sums[i] = (wrong[i] & is_nan) != 0 ? nan : outside;
  }
}

std::string Bins::text(std::uint32_t bin) const {
  std::string text;
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    const auto at = along(a, bin);
    text += fmt::format("{}{} from {:g} to {:g}", a == 0 ? "" : ", ", name_of(axes_[a]), axes_[a].edges[at],
                        axes_[a].edges[at + 1]);
  }
  return text;
}

std::string name_of(const config::BinAxis& axis) {
  return axis.absolute ? "abs(" + axis.item + ")" : axis.item;
}

}  // namespace headrace::data::selection
