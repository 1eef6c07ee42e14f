#include "plan/sample_set.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "base/contract.hpp"
#include "plan/word_bits.hpp"

namespace headrace::plan {

SampleSet::SampleSet(Slab slab, std::vector<std::uint64_t> words) : slab_(slab), words_(std::move(words)) {
  const auto bits = slab_.last - slab_.first;
  EXPECTS(words_.size() == (bits + 63) / 64);
  if (bits % 64 != 0) words_.back() &= low_bits(bits % 64);
  EXPECTS(words_.size() <= std::numeric_limits<std::uint32_t>::max());
  counts_.reserve(words_.size() + 1);
  for (std::uint32_t w = 0; w < words_.size(); ++w) {
    counts_.push_back(size_);
    size_ += count_bits(words_[w]);
    while (hints_.size() * members_per_hint < size_) hints_.push_back(w);
  }
  counts_.push_back(size_);
}

bool SampleSet::contains(std::uint64_t sample) const {
  if (sample < slab_.first || sample >= slab_.last) return false;
  const auto bit = sample - slab_.first;
  return (words_[bit / 64] >> bit % 64 & 1) != 0;
}

std::uint64_t SampleSet::below(std::uint64_t sample) const {
  if (sample <= slab_.first) return 0;
  if (sample >= slab_.last) return size_;
  const auto bit = sample - slab_.first;
  return counts_[bit / 64] + count_bits(words_[bit / 64] & low_bits(bit % 64));
}

std::uint64_t SampleSet::sample(std::uint64_t k) const {
  EXPECTS(k < size_);
  std::size_t word = hints_[k / members_per_hint];
  for (int step = 0; counts_[word + 1] <= k; ++word)
    if (++step == few_words) {  // members lie far apart here
      const auto next = k / members_per_hint + 1;
      const auto end = next < hints_.size() ? hints_[next] + 1 : words_.size();
      const auto after = std::upper_bound(counts_.begin() + static_cast<std::ptrdiff_t>(word),
                                          counts_.begin() + static_cast<std::ptrdiff_t>(end), k);
      word = static_cast<std::size_t>(after - counts_.begin()) - 1;
      break;
    }
  return slab_.first + word * 64 + nth_bit(words_[word], k - counts_[word]);
}

void SampleSet::samples(std::span<const std::uint64_t> ordinals, std::uint64_t base,
                        std::span<std::int64_t> samples) const {
  EXPECTS(ordinals.size() == samples.size());
  for (std::size_t i = 0; i < ordinals.size(); ++i) samples[i] = static_cast<std::int64_t>(sample(ordinals[i] - base));
}

void SampleSet::ranks(std::span<const std::int64_t> samples, std::span<std::uint32_t> out) const {
  EXPECTS(samples.size() == out.size());
  if (size_ == slab_.last - slab_.first) {
    for (std::size_t i = 0; i < samples.size(); ++i)
      out[i] = static_cast<std::uint32_t>(static_cast<std::uint64_t>(samples[i]) - slab_.first);
    return;
  }
  for (std::size_t i = 0; i < samples.size(); ++i)
    out[i] = static_cast<std::uint32_t>(below(static_cast<std::uint64_t>(samples[i])));
}

void SampleSet::runs(std::uint64_t first, std::uint64_t last,
                     const std::function<void(std::uint64_t, std::uint64_t)>& f) const {
  auto bit = std::max(first, slab_.first) - slab_.first;
  const auto end = std::min(last, slab_.last) - slab_.first;
  // The first bit from `bit` on that is set (or not), or the end.
  const auto next = [&](std::uint64_t from, bool set) {
    while (from < end) {
      const auto word = set ? words_[from / 64] : ~words_[from / 64];
      const auto rest = word >> from % 64;
      if (rest != 0) return std::min(end, from + static_cast<std::uint64_t>(std::countr_zero(rest)));
      from = (from / 64 + 1) * 64;
    }
    return end;
  };
  if (last <= slab_.first) return;
  for (bit = next(bit, true); bit < end;) {
    const auto stop = next(bit, false);
    f(slab_.first + bit, stop - bit);
    bit = next(stop, true);
  }
}

}  // namespace headrace::plan
