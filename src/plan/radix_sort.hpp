// Ascending sort of keys of known width: least significant digit first, on as many bits as the keys have.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace headrace::plan {

/// Sorts keys, all below `limit`. scratch grows to their number and is worth keeping between calls.
void radix_sort(std::span<std::uint64_t> keys, std::uint64_t limit, std::vector<std::uint64_t>& scratch);

}  // namespace headrace::plan
