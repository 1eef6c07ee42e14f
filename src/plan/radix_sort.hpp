// Ascending sort of keys of known width: least significant digit first, on as many bits as the keys have.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace headrace::plan {

/// Sorts keys, all below `limit`. scratch grows to their number and is worth keeping between calls.
void radix_sort(std::span<std::uint64_t> keys, std::uint64_t limit, std::vector<std::uint64_t>& scratch);

/// The order that sorts them: keys[order[0]] <= keys[order[1]] <= ..., equal ones as they stood.
void sorting_order(std::span<const std::uint64_t> keys, std::vector<std::uint32_t>& order);

}  // namespace headrace::plan
