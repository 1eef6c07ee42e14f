#include "data/selection/sample_bits.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "plan/members.hpp"

namespace headrace::data::selection {

namespace {

using Bits = std::vector<std::uint64_t>;

void set_bit(Bits& bits, std::uint64_t bit, bool value) {
  const auto mask = std::uint64_t{1} << bit % 64;
  bits[bit / 64] = value ? bits[bit / 64] | mask : bits[bit / 64] & ~mask;
}

bool bit_at(const Bits& bits, std::uint64_t bit) {
  return (bits[bit / 64] >> bit % 64 & 1) != 0;
}

void set_run(Bits& bits, std::uint64_t first, std::uint64_t count) {
  for (; count > 0 && first % 64 != 0; ++first, --count) set_bit(bits, first, true);
  for (; count >= 64; first += 64, count -= 64) bits[first / 64] = ~std::uint64_t{0};
  for (; count > 0; ++first, --count) set_bit(bits, first, true);
}

/// 64 bits from any bit on; zeros beyond the end.
std::uint64_t word_at(const Bits& bits, std::uint64_t bit) {
  const auto word = bit / 64;
  if (word >= bits.size()) return 0;
  const auto low = bits[word] >> bit % 64;
  return bit % 64 == 0 || word + 1 >= bits.size() ? low : low | bits[word + 1] << (64 - bit % 64);
}

struct Header {
  std::uint64_t set, holder, first, last;
};

}  // namespace

Bits bits_of(const plan::Selection& selection, const plan::Slab& run) {
  Bits bits((run.last - run.first + 63) / 64);
  const std::array slabs{run};
  plan::Members(selection, slabs).runs(0, run.first, run.last, [&](std::uint64_t first, std::uint64_t count) {
    set_run(bits, first - run.first, count);
  });
  return bits;
}

void keep_where(Bits& bits, const plan::Slab& run,
                const std::function<void(std::uint64_t, std::span<std::uint8_t>)>& f) {
  constexpr std::uint64_t block = 64 * 1024;
  for (auto first = run.first; first < run.last; first += block) {
    auto keep = std::vector<std::uint8_t>(std::min(block, run.last - first));
    f(first, keep);
    for (std::size_t i = 0; i < keep.size(); ++i)
      if (keep[i] == 0) set_bit(bits, first + i - run.first, false);
  }
}

std::vector<std::uint8_t> bytes_of(const Bits& bits, const plan::Slab& run, std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint8_t> bytes(last - first);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = bit_at(bits, first + i - run.first);
  return bytes;
}

void set_bytes(Bits& bits, const plan::Slab& run, std::uint64_t first, std::span<const std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) set_bit(bits, first + i - run.first, bytes[i] != 0);
}

std::vector<reader::Interval> intervals_in(const plan::SampleSet& set, std::uint64_t first, std::uint64_t last,
                                           std::uint64_t gap) {
  std::vector<reader::Interval> intervals;
  set.runs(first, last, [&](std::uint64_t begin, std::uint64_t count) {
    if (!intervals.empty() && begin <= intervals.back().last + gap)
      intervals.back().last = begin + count;
    else
      intervals.push_back({begin, begin + count});
  });
  return intervals;
}

void pack_bits(const Bits& bits, const plan::Slab& run, const plan::Slab& slab, std::size_t set, std::uint32_t holder,
               std::string& parcel) {
  const auto first = std::max(run.first, slab.first), last = std::min(run.last, slab.last);
  if (first >= last) return;
  const Header header{set, holder, first, last};
  parcel.append(reinterpret_cast<const char*>(&header), sizeof header);
  for (auto sample = first; sample < last; sample += 64) {
    const auto word = word_at(bits, sample - run.first);
    parcel.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
}

void unpack_bits(const std::string& parcel, const std::function<BitsOfSlab(std::size_t, std::uint32_t)>& place) {
  for (std::size_t at = 0; at < parcel.size();) {
    Header header{};
    std::memcpy(&header, parcel.data() + at, sizeof header);
    at += sizeof header;
    auto [bits, slab] = place(header.set, static_cast<std::uint32_t>(header.holder));
    for (auto sample = header.first; sample < header.last; sample += 64) {
      std::uint64_t word = 0;
      std::memcpy(&word, parcel.data() + at, sizeof word);
      at += sizeof word;
      if (header.last - sample < 64) word &= (std::uint64_t{1} << (header.last - sample)) - 1;
      // Into two words, as it falls; what is there already stays.
      const auto bit = sample - slab.first;
      bits[bit / 64] |= word << bit % 64;
      if (bit % 64 != 0 && bit / 64 + 1 < bits.size()) bits[bit / 64 + 1] |= word >> (64 - bit % 64);
    }
  }
}

}  // namespace headrace::data::selection
