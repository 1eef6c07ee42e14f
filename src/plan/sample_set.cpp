#include "plan/sample_set.hpp"

#include <algorithm>
#include <bit>

#include "base/contract.hpp"
#include "plan/gallop.hpp"
#include "plan/word_bits.hpp"

namespace headrace::plan {

namespace {
constexpr unsigned block_bits = 16;
constexpr std::size_t ahead = 16;  // members that are fetched while others are looked at: most are far from the cache
constexpr std::size_t words_per_block = (std::size_t{1} << block_bits) / 64;
}  // namespace

SampleSet::SampleSet(Slab slab, std::vector<std::uint64_t> words, Ask ask) : slab_(slab), words_(std::move(words)) {
  const auto bits = slab_.last - slab_.first;
  EXPECTS(words_.size() == (bits + 63) / 64);
  if (bits % 64 != 0) words_.back() &= low_bits(bits % 64);
  counts_.reserve(words_.size());
  for (std::size_t w = 0; w < words_.size(); ++w) {
    if (w % words_per_block == 0) blocks_.push_back(size_);
    counts_.push_back(static_cast<std::uint16_t>(size_ - blocks_.back()));
    size_ += count_bits(words_[w]);
  }
  blocks_.push_back(size_);
  if (ask == Ask::members) list_members();
}

void SampleSet::list_members() {
  if (size_ == 0) return;
  const auto set = [](std::uint64_t word) { return word != 0; };
  const auto first = static_cast<std::uint64_t>(std::ranges::find_if(words_, set) - words_.begin());
  const auto first_bit = first * 64 + static_cast<unsigned>(std::countr_zero(words_[first]));
  if (below(slab_.first + first_bit + size_) == size_) {
    only_run_ = slab_.first + first_bit;
    return;
  }
  lows_.reserve(size_);
  for (std::size_t w = 0; w < words_.size(); ++w)
    for (auto rest = words_[w]; rest != 0; rest &= rest - 1)
      lows_.push_back(static_cast<std::uint16_t>(w * 64 + static_cast<unsigned>(std::countr_zero(rest))));
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
  return blocks_[bit >> block_bits] + counts_[bit / 64] + count_bits(words_[bit / 64] & low_bits(bit % 64));
}

void SampleSet::samples(std::span<const std::uint64_t> ordinals, std::uint64_t base,
                        std::span<std::int64_t> samples) const {
  EXPECTS(ordinals.size() == samples.size());
  EXPECTS(ordinals.empty() || (ordinals.front() >= base && ordinals.back() - base < size_));
  if (only_run_) {
    for (std::size_t i = 0; i < ordinals.size(); ++i)
      samples[i] = static_cast<std::int64_t>(*only_run_ + (ordinals[i] - base));
    return;
  }
  if (lows_.empty()) return find_in_words(ordinals, base, samples);
  std::uint64_t first = 0, end = 0;  // the block's first sample, and the number of the first member behind it
  for (std::size_t i = 0, block = 0; i < ordinals.size(); ++i) {
    if (i + ahead < ordinals.size()) __builtin_prefetch(&lows_[ordinals[i + ahead] - base]);
    const auto number = ordinals[i] - base;
    if (number >= end) {  // as ordinals ascend, the next block is near
      block = gallop(blocks_, block, number + 1) - 1;
      first = slab_.first + (std::uint64_t{block} << block_bits);
      end = blocks_[block + 1];
    }
    samples[i] = static_cast<std::int64_t>(first + lows_[number]);
  }
}

/// Without the list.
void SampleSet::find_in_words(std::span<const std::uint64_t> ordinals, std::uint64_t base,
                              std::span<std::int64_t> samples) const {
  std::size_t block = 0, word = 0;
  for (std::size_t i = 0; i < ordinals.size(); ++i) {
    const auto number = ordinals[i] - base;
    if (number >= blocks_[block + 1]) {
      block = gallop(blocks_, block, number + 1) - 1;
      word = block * words_per_block;
    }
    const auto place = number - blocks_[block];
    const auto begin = counts_.begin() + static_cast<std::ptrdiff_t>(word);
    const auto end =
        counts_.begin() + static_cast<std::ptrdiff_t>(std::min((block + 1) * words_per_block, counts_.size()));
    word += static_cast<std::size_t>(std::upper_bound(begin, end, place) - begin) - 1;
    samples[i] = static_cast<std::int64_t>(slab_.first + word * 64 + nth_bit(words_[word], place - counts_[word]));
  }
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
