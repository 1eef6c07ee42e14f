// Bits of the samples of a run: made, narrowed, and sent. Bit i of a run's words is its first sample + i.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "plan/sample_set.hpp"
#include "plan/selection.hpp"
#include "reader/load.hpp"

namespace headrace::data::selection {

std::vector<std::uint64_t> bits_of(const plan::Selection& selection, const plan::Slab& run);

/// Clears the bits that are not kept: f(first, keep) is called for blocks of the run, keep all 0 beforehand.
void keep_where(std::vector<std::uint64_t>& bits, const plan::Slab& run,
                const std::function<void(std::uint64_t first, std::span<std::uint8_t> keep)>& f);

/// One byte per sample of [first, last), and back.
std::vector<std::uint8_t> bytes_of(const std::vector<std::uint64_t>& bits, const plan::Slab& run, std::uint64_t first,
                                   std::uint64_t last);
void set_bytes(std::vector<std::uint64_t>& bits, const plan::Slab& run, std::uint64_t first,
               std::span<const std::uint8_t> bytes);

/// The members of [first, last) as few intervals: gaps of at most `gap` samples are part of them.
std::vector<reader::Interval> intervals_in(const plan::SampleSet& set, std::uint64_t first, std::uint64_t last,
                                           std::uint64_t gap);

/// Appends what `run` and `slab` have in common, with the number of the set and of the slab's holder.
void pack_bits(const std::vector<std::uint64_t>& bits, const plan::Slab& run, const plan::Slab& slab, std::size_t set,
               std::uint32_t holder, std::string& parcel);

struct BitsOfSlab {
  std::vector<std::uint64_t>& bits;
  plan::Slab slab;
};
/// Puts what was packed where `place(set, holder)` says.
void unpack_bits(const std::string& parcel, const std::function<BitsOfSlab(std::size_t, std::uint32_t)>& place);

}  // namespace headrace::data::selection
