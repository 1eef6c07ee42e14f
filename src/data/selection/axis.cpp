#include "data/selection/axis.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/contract.hpp"

#if defined(__x86_64__)
// GCC 12's own header leaves lanes undefined that nobody looks at, and then warns of them (its bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#endif

namespace headrace::data::selection {

namespace {

constexpr std::int32_t most_buckets = 1 << 14;
constexpr int mantissa_bits = 52;

/// The bucket of a value: grows with it, and stays within 0 .. last.
struct ByValue {
  double first, per_width, last;
  [[gnu::always_inline]] std::int32_t operator()(double value) const {
    auto place = (value - first) * per_width;
    place = place > 0 ? place : 0;  // NaN, too
    return static_cast<std::int32_t>(place < last ? place : last);
  }
};
/// The same for values from 0 on: exponent and first bits of a double, read as a number, grow with it.
struct ByMagnitude {
  std::int64_t first;
  int shift;
  std::int64_t last;
  [[gnu::always_inline]] std::int32_t operator()(double value) const {
    const auto key = (std::bit_cast<std::int64_t>(value) >> shift) - first;
    const auto from_0 = key > 0 ? key : 0;
    return static_cast<std::int32_t>(from_0 < last ? from_0 : last);
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

ByValue by_value(const Axis& axis) {
  return {axis.first, axis.per_width, static_cast<double>(axis.bucket_edge.size() - 1)};
}

ByMagnitude by_magnitude(const Axis& axis) {
  return {axis.first_key, axis.shift, static_cast<std::int64_t>(axis.bucket_edge.size()) - 1};
}

/// Settles by which buckets, and returns their number: the fewest that will do, or none.
std::size_t choose_buckets(Axis& axis) {
  std::size_t buckets = most_buckets + 1;
  for (auto number = axis.edges.size() - 1; number <= most_buckets; number *= 2) {
    const auto per_width = static_cast<double>(number) / (axis.last - axis.first);
    if (!one_edge_each(axis.edges, ByValue{axis.first, per_width, static_cast<double>(number - 1)})) continue;
    axis.by = Axis::By::value;
    axis.per_width = per_width;
    buckets = number;
    break;
  }
  for (int bits = 0; axis.first >= 0 && bits < mantissa_bits; ++bits) {
    const auto shift = mantissa_bits - bits;
    const auto first = key_of(axis.first, shift), last = key_of(axis.last, shift) - first;
    if (static_cast<std::size_t>(last) + 1 >= buckets) break;
    if (!one_edge_each(axis.edges, ByMagnitude{first, shift, last})) continue;
    axis.by = Axis::By::magnitude;
    axis.first_key = first;
    axis.shift = shift;
    buckets = static_cast<std::size_t>(last) + 1;
    break;
  }
  return axis.by == Axis::By::search ? 0 : buckets;
}

template <class Number>
[[gnu::always_inline]] inline double value_of(Number number, bool absolute) {
  const auto value = static_cast<double>(number);
  return absolute ? std::fabs(value) : value;
}

template <class Number, class BucketOf>
[[gnu::always_inline]] inline void add_found(const Axis& axis, const BucketOf bucket_of, bool absolute,
                                             const Number* __restrict values, std::uint32_t* __restrict sums,
                                             std::size_t count) {
  const auto* const edge = axis.bucket_edge.data();
  const auto* const below = axis.bucket_below.data();
  const auto stride = axis.stride;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = value_of(values[i], absolute);
    const auto bucket = bucket_of(value);
    sums[i] += below[bucket] + (value >= edge[bucket] ? stride : 0);
  }
}

/// How many are in no bin. Hardly ever any, so that what is wrong with which is asked by itself.
template <class Number>
[[gnu::always_inline]] inline std::uint64_t beyond(const Axis& axis, bool absolute, const Number* values,
                                                   std::size_t count) {
  const auto first = axis.first, last = axis.last;
  std::uint64_t many = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = value_of(values[i], absolute);
    many += (value >= first) & (value <= last) ? 0 : 1;
  }
  return many;
}

// One body, compiled per instruction set, as in plan/network.cpp; but compilers do not look up eight buckets at a time.
template <class Number>
std::uint64_t look_any(const Axis& axis, bool absolute, const Number* values, std::uint32_t* sums, std::size_t count) {
  // Each as a loop of its own, so that none asks anything of a value that is the same for all.
  const auto run = [&](bool amount) __attribute__((always_inline)) {
    if (axis.by == Axis::By::value) add_found(axis, by_value(axis), amount, values, sums, count);
    if (axis.by == Axis::By::magnitude) add_found(axis, by_magnitude(axis), amount, values, sums, count);
    return beyond(axis, amount, values, count);
  };
  return absolute ? run(true) : run(false);
}

#if defined(__x86_64__)
#define HEADRACE_AVX512 [[gnu::target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")]]

constexpr std::size_t lanes = 8;

HEADRACE_AVX512 inline __m512d load(const double* values) {
  return _mm512_loadu_pd(values);
}
HEADRACE_AVX512 inline __m512d load(const std::int64_t* values) {
  return _mm512_cvtepi64_pd(_mm512_loadu_si512(values));
}
HEADRACE_AVX512 inline __m512d load(const std::uint64_t* values) {
  return _mm512_cvtepu64_pd(_mm512_loadu_si512(values));
}

/// The buckets, as ByValue and ByMagnitude say.
HEADRACE_AVX512 inline __m256i buckets_by_value(const Axis& axis, __m512d value) {
  const auto last = static_cast<double>(axis.bucket_edge.size() - 1);
  auto place = _mm512_mul_pd(_mm512_sub_pd(value, _mm512_set1_pd(axis.first)), _mm512_set1_pd(axis.per_width));
  place = _mm512_max_pd(place, _mm512_setzero_pd());  // the second one where one is NaN
  return _mm512_cvttpd_epi32(_mm512_min_pd(place, _mm512_set1_pd(last)));
}
HEADRACE_AVX512 inline __m256i buckets_by_magnitude(const Axis& axis, __m512d value) {
  const auto last = static_cast<std::int64_t>(axis.bucket_edge.size()) - 1;
  auto key = _mm512_sra_epi64(_mm512_castpd_si512(value), _mm_cvtsi32_si128(axis.shift));
  key = _mm512_max_epi64(_mm512_sub_epi64(key, _mm512_set1_epi64(axis.first_key)), _mm512_setzero_si512());
  return _mm512_cvtepi64_epi32(_mm512_min_epi64(key, _mm512_set1_epi64(last)));
}

template <Axis::By by, class Number>
HEADRACE_AVX512 std::uint64_t look_avx512(const Axis& axis, bool absolute, const Number* values, std::uint32_t* sums,
                                          std::size_t count) {
  const auto first = _mm512_set1_pd(axis.first), last = _mm512_set1_pd(axis.last);
  const auto sign = _mm512_set1_epi64(absolute ? std::int64_t{INT64_MAX} : std::int64_t{-1});
  const auto stride = _mm256_set1_epi32(static_cast<std::int32_t>(axis.stride));
  std::uint64_t inside = 0;
  for (std::size_t i = 0; i < count; i += lanes) {
    const auto value = _mm512_castsi512_pd(_mm512_and_si512(_mm512_castpd_si512(load(values + i)), sign));
    const auto bucket = by == Axis::By::value ? buckets_by_value(axis, value) : buckets_by_magnitude(axis, value);
    const auto edge = _mm512_i32gather_pd(bucket, axis.bucket_edge.data(), sizeof(double));
    const auto below =
        _mm256_i32gather_epi32(reinterpret_cast<const int*>(axis.bucket_below.data()), bucket, sizeof(std::uint32_t));
    auto* const to = reinterpret_cast<__m256i*>(sums + i);
    const auto sum = _mm256_add_epi32(_mm256_loadu_si256(to), below);
    _mm256_storeu_si256(to, _mm256_mask_add_epi32(sum, _mm512_cmp_pd_mask(value, edge, _CMP_GE_OQ), sum, stride));
    const auto in = _mm512_mask_cmp_pd_mask(_mm512_cmp_pd_mask(value, first, _CMP_GE_OQ), value, last, _CMP_LE_OQ);
    inside += static_cast<unsigned>(std::popcount(static_cast<unsigned>(in)));
  }
  return count - inside;
}
#undef HEADRACE_AVX512
#endif

template <class Number>
std::uint64_t dispatch(const Axis& axis, bool absolute, const Number* values, std::uint32_t* sums, std::size_t count,
                       plan::Isa isa) {
  EXPECTS(plan::supported(isa));
  std::size_t done = 0;
  std::uint64_t many = 0;
#if defined(__x86_64__)
  if (isa == plan::Isa::avx512 && axis.by != Axis::By::search) {
    done = count / lanes * lanes;
    many = axis.by == Axis::By::value ? look_avx512<Axis::By::value>(axis, absolute, values, sums, done)
                                      : look_avx512<Axis::By::magnitude>(axis, absolute, values, sums, done);
  }
#endif
  return many + look_any(axis, absolute, values + done, sums + done, count - done);
}

template <class Number>
bool add(const Axis& axis, bool absolute, const Number* values, std::span<std::uint32_t> sums,
         std::span<std::uint8_t> wrong, plan::Isa isa) {
  const auto many = dispatch(axis, absolute, values, sums.data(), sums.size(), isa);
  for (std::size_t i = 0; axis.by == Axis::By::search && i < sums.size(); ++i) {
    const auto edges = inner(axis.edges);
    const auto found = std::ranges::upper_bound(edges, value_of(values[i], absolute));
    sums[i] += axis.stride * static_cast<std::uint32_t>(found - edges.begin());
  }
  for (std::size_t i = 0; many > 0 && i < sums.size(); ++i) {
    const auto value = value_of(values[i], absolute);
    const bool inside = value >= axis.first && value <= axis.last;
    wrong[i] |= static_cast<std::uint8_t>((inside ? 0 : is_outside) | (value != value ? is_nan : 0));
  }
  return many > 0;
}

}  // namespace

Axis axis_of(const std::vector<double>& edges, std::uint32_t stride) {
  Axis axis{.first = edges.front(), .last = edges.back(), .stride = stride, .edges = edges};
  const auto buckets = choose_buckets(axis);
  axis.bucket_edge.assign(buckets, std::numeric_limits<double>::infinity());
  const auto place = [&](const auto& bucket_of) {
    for (const auto edge : inner(edges)) axis.bucket_edge[static_cast<std::size_t>(bucket_of(edge))] = edge;
  };
  if (axis.by == Axis::By::value) place(by_value(axis));
  if (axis.by == Axis::By::magnitude) place(by_magnitude(axis));
  std::uint32_t below = 0;
  for (const auto edge : axis.bucket_edge) {
    axis.bucket_below.push_back(below);
    if (edge < std::numeric_limits<double>::infinity()) below += stride;
  }
  return axis;
}

bool add_bins(const Axis& axis, bool absolute, const double* values, std::span<std::uint32_t> sums,
              std::span<std::uint8_t> wrong, plan::Isa isa) {
  return add(axis, absolute, values, sums, wrong, isa);
}
bool add_bins(const Axis& axis, bool absolute, const std::int64_t* values, std::span<std::uint32_t> sums,
              std::span<std::uint8_t> wrong, plan::Isa isa) {
  return add(axis, absolute, values, sums, wrong, isa);
}
bool add_bins(const Axis& axis, bool absolute, const std::uint64_t* values, std::span<std::uint32_t> sums,
              std::span<std::uint8_t> wrong, plan::Isa isa) {
  return add(axis, absolute, values, sums, wrong, isa);
}

}  // namespace headrace::data::selection
