#include "plan/multiset.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/contract.hpp"

namespace headrace::plan {

Multiset::Multiset(std::shared_ptr<const DrawnSlab> slab, std::vector<Draw::Share> shares)
    : drawn_(std::move(slab)), shares_(std::move(shares)) {
  const auto samples = drawn_->cells.size();
  EXPECTS(samples == drawn_->slab.last - drawn_->slab.first);
  EXPECTS(drawn_->places.empty() || drawn_->places.size() == samples);
  bits_.resize((samples + 63) / 64);
  sums_.resize((samples + per_sum - 1) / per_sum + 1);
  if (drawn_->places.empty())
    pass<false>();
  else
    pass<true>();
  EXPECTS(size_ <= std::numeric_limits<std::uint32_t>::max());
}

/// Bits and sums. Whether places are looked at is settled outside the loop, which is all that an epoch costs.
template <bool drawn>
void Multiset::pass() {
  const auto* const cells = drawn_->cells.data();
  [[maybe_unused]] const auto* const places = drawn_->places.data();
  const auto* const shares = shares_.data();
  const auto samples = drawn_->cells.size();
  for (std::size_t first = 0, sum = 0; first < samples; first += per_sum, ++sum) {
    const auto last = std::min(first + per_sum, samples);
    sums_[sum] = static_cast<std::uint32_t>(size_);
    std::uint64_t bits = 0, copies = 0;
    for (auto i = first; i < last; ++i) {
      const auto& share = shares[cells[i]];
      copies += share.base;
      if constexpr (drawn) bits |= std::uint64_t{share.takes(places[i])} << (i - first);
    }
    bits_[first / 64] |= bits << first % 64;
    size_ += copies + static_cast<std::uint64_t>(std::popcount(bits));
  }
  sums_.back() = static_cast<std::uint32_t>(size_);
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

void Multiset::samples(std::span<const std::uint64_t> ordinals, std::uint64_t base,
                       std::span<std::int64_t> samples) const {
  EXPECTS(ordinals.size() == samples.size());
  auto from = sums_.begin();  // ordinals ascend, so that each search begins where the last one ended
  for (std::size_t i = 0; i < ordinals.size(); ++i) {
    const auto number = ordinals[i] - base;
    EXPECTS(number < size_);
    std::ptrdiff_t step = 1;
    while (sums_.end() - from > step && from[step] <= number) {
      from += step;
      step *= 2;
    }
    from = std::upper_bound(from, std::min(from + step, sums_.end()), number) - 1;
    auto at = static_cast<std::size_t>(from - sums_.begin()) * per_sum;
    for (auto rest = number - *from; rest >= copies(at); ++at) rest -= copies(at);
    samples[i] = static_cast<std::int64_t>(slab().first + at);
  }
}

}  // namespace headrace::plan
