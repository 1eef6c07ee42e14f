#include "plan/multiset.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/contract.hpp"

#if defined(__x86_64__)
// GCC 12's own header leaves lanes undefined that nobody looks at, and then warns of them (its bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#endif

namespace headrace::plan {

namespace {

/// What is known of samples and of cells; see the header.
struct Known {
  const std::uint16_t* cells;
  const std::uint32_t* places;
  const std::uint64_t* stretches;  // by cell
  const std::uint32_t* bases;      // in front of each sixteen; null: all are 0
};

constexpr std::size_t lanes = Multiset::per_sum;
static_assert(lanes == 16);

#if defined(__x86_64__)
template <bool based>
[[gnu::target("avx512f,avx512dq,avx512vl,popcnt")]] std::uint64_t run(const Known& of, std::size_t samples,
                                                                      std::uint64_t* bits, std::uint32_t* sums) {
  const auto even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const auto odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < samples; i += lanes) {
    sums[i / lanes] = static_cast<std::uint32_t>(size) + (based ? of.bases[i / lanes] : 0);
    const auto cells = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(of.cells + i)));
    // A stretch is one look of 64 bits, which is taken apart again.
    const auto low = _mm512_i32gather_epi64(_mm512_castsi512_si256(cells), of.stretches, sizeof(std::uint64_t));
    const auto high = _mm512_i32gather_epi64(_mm512_extracti64x4_epi64(cells, 1), of.stretches, sizeof(std::uint64_t));
    const auto first = _mm512_permutex2var_epi32(low, even, high);
    const auto length = _mm512_permutex2var_epi32(low, odd, high);
    const auto beyond = _mm512_sub_epi32(_mm512_loadu_si512(of.places + i), first);
    const auto taken = _mm512_cmplt_epu32_mask(beyond, length);
    bits[i / 64] |= std::uint64_t{taken} << i % 64;
    size += static_cast<unsigned>(std::popcount(static_cast<unsigned>(taken)));
  }
  return size;
}
#endif

/// How many samples, from the first on, draw_16() takes of so many.
std::size_t samples_by_16(Isa isa, std::size_t samples) {
  EXPECTS(supported(isa));
  return isa == Isa::avx512 ? samples / lanes * lanes : 0;
}

/// Bits of the first `samples`, which come to whole sixteens, and how many copies are in front of each sixteen; returns
/// how many bits there are. Sixteen at a time, where the processor can.
std::uint64_t draw_16(const Known& of, std::size_t samples, std::uint64_t* bits, std::uint32_t* sums) {
#if defined(__x86_64__)
  return of.bases != nullptr ? run<true>(of, samples, bits, sums) : run<false>(of, samples, bits, sums);
#else
  static_cast<void>(of), static_cast<void>(samples), static_cast<void>(bits), static_cast<void>(sums);
  return 0;
#endif
}

}  // namespace

std::vector<std::uint32_t> base_sums(const std::vector<Draw::Share>& shares, std::span<const std::uint16_t> cells) {
  std::vector<std::uint32_t> sums;
  if (std::ranges::all_of(shares, [](const auto& share) { return share.base == 0; })) return sums;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i % Multiset::per_sum == 0) sums.push_back(static_cast<std::uint32_t>(sum));
    sum += shares[cells[i]].base;
  }
  EXPECTS(sum <= std::numeric_limits<std::uint32_t>::max());
  sums.push_back(static_cast<std::uint32_t>(sum));
  return sums;
}

Multiset::Multiset(std::shared_ptr<const DrawnSlab> slab, const std::vector<Draw::Share>& shares, Isa isa)
    : drawn_(std::move(slab)) {
  const auto samples = drawn_->cells.size();
  EXPECTS(samples == drawn_->slab.last - drawn_->slab.first);
  EXPECTS(drawn_->places.empty() || drawn_->places.size() == samples);
  for (const auto& share : shares) {
    stretches_.push_back(share.first | std::uint64_t{share.length} << 32);
    bases_.push_back(share.base);
  }
  bits_.resize((samples + 63) / 64);
  sums_.resize((samples + per_sum - 1) / per_sum + 1);
  const auto own = drawn_->bases.empty() ? base_sums(shares, drawn_->cells) : std::vector<std::uint32_t>();
  const auto& bases = drawn_->bases.empty() ? own : drawn_->bases;
  const auto* const before = bases.empty() ? nullptr : bases.data();
  if (drawn_->places.empty()) {
    if (before != nullptr) std::ranges::copy(bases, sums_.begin());
    size_ = sums_.back();
  } else {
    const auto by_16 = samples_by_16(isa, samples);
    if (by_16 > 0)
      size_ = draw_16({drawn_->cells.data(), drawn_->places.data(), stretches_.data(), before}, by_16, bits_.data(),
                      sums_.data());
    pass(by_16, before);
  }
  EXPECTS(size_ <= std::numeric_limits<std::uint32_t>::max());
  mark();
}

/// Bits and sums, from a sample on that is the first of its sum; size_: copies in front of it that are no bases.
void Multiset::pass(std::size_t first, const std::uint32_t* before) {
  const auto samples = drawn_->cells.size();
  for (; first < samples; first += per_sum) {
    const auto sum = first / per_sum;
    sums_[sum] = static_cast<std::uint32_t>(size_ + (before != nullptr ? before[sum] : 0));
    std::uint64_t bits = 0;
    for (auto i = first; i < std::min(first + per_sum, samples); ++i) {
      const auto stretch = stretches_[drawn_->cells[i]];
      const auto beyond = drawn_->places[i] - static_cast<std::uint32_t>(stretch);
      bits |= std::uint64_t{beyond < stretch >> 32} << (i - first);
    }
    bits_[first / 64] |= bits << first % 64;
    size_ += static_cast<std::uint64_t>(std::popcount(bits));
  }
  if (before != nullptr) size_ += before[sums_.size() - 1];
  sums_.back() = static_cast<std::uint32_t>(size_);
}

void Multiset::mark() {
  marks_.resize((size_ + per_mark - 1) / per_mark);
  for (std::size_t sum = 0, next = 0; sum + 1 < sums_.size(); ++sum)
    for (const auto end = (sums_[sum + 1] + per_mark - 1) / per_mark; next < end; ++next)
      marks_[next] = static_cast<std::uint32_t>(sum);
}

std::uint64_t Multiset::count(std::uint64_t sample) const {
  return sample < slab().first || sample >= slab().last ? 0 : copies(sample - slab().first);
}

std::uint64_t Multiset::below(std::uint64_t sample) const {
  if (sample <= slab().first) return 0;
  if (sample >= slab().last) return size_;
  const auto end = sample - slab().first;
  std::uint64_t sum = sums_[end / per_sum];
  for (auto i = end / per_sum * per_sum; i < end; ++i) sum += copies(i);
  return sum;
}

/// Which sum is the last that is not beyond the copy.
std::size_t Multiset::sum_of(std::uint64_t number) const {
  std::size_t sum = marks_[number / per_mark];
  while (sums_[sum + 1] <= number) ++sum;
  return sum;
}

/// The sample among those of a sum. All of them are looked at, so that nothing has to be guessed.
std::int64_t Multiset::sample_in(std::size_t sum, std::uint64_t number) const {
  const auto first = sum * per_sum;
  const auto last = std::min(first + per_sum, drawn_->cells.size());
  std::uint64_t before = sums_[sum], found = first;
  for (auto i = first; i < last; ++i) {
    before += copies(i);
    found += before <= number;
  }
  return static_cast<std::int64_t>(slab().first + found);
}

void Multiset::samples(std::span<const std::uint64_t> ordinals, std::uint64_t base,
                       std::span<std::int64_t> samples) const {
  EXPECTS(ordinals.size() == samples.size());
  // Three looks, each at a place that only the one before tells: what the next ones need is fetched meanwhile.
  constexpr std::size_t ahead = 16, far_ahead = 2 * ahead;
  std::size_t sums[ahead];
  const auto find_sum = [&](std::size_t i) {
    const auto number = ordinals[i] - base;
    EXPECTS(number < size_);
    const auto sum = sum_of(number);
    sums[i % ahead] = sum;
    __builtin_prefetch(drawn_->cells.data() + sum * per_sum);
    __builtin_prefetch(bits_.data() + sum * per_sum / 64);
  };
  const auto fetch_sum = [&](std::size_t i) { __builtin_prefetch(&sums_[marks_[(ordinals[i] - base) / per_mark]]); };
  const auto count = ordinals.size();
  for (std::size_t i = 0; i < std::min(count, far_ahead); ++i)
    __builtin_prefetch(&marks_[(ordinals[i] - base) / per_mark]);
  for (std::size_t i = 0; i < std::min(count, ahead); ++i) find_sum(i);
  for (std::size_t i = 0; i < count; ++i) {
    samples[i] = sample_in(sums[i % ahead], ordinals[i] - base);
    if (i + ahead < count) find_sum(i + ahead);
    if (i + far_ahead < count) fetch_sum(i + far_ahead);
  }
}

}  // namespace headrace::plan
