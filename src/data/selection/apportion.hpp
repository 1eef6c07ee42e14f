// A whole number cut into whole parts by weights: each gets its share rounded down, and those that lost most by that get
// one more each, the first of equal ones. Exact: all who compute it come to the same. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace headrace::data::selection {

/// The parts add up to `whole`, and none is off its share by 1 or more. The weights add up to 1 .. 2^63. Parts of which
/// `rounds` is 0 are not rounded up (empty: all may be); where too few are, the parts add up to less.
std::vector<std::uint64_t> apportion(std::uint64_t whole, std::span<const std::uint64_t> weights,
                                     std::span<const std::uint64_t> rounds = {});

}  // namespace headrace::data::selection
