// A search for what is near. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace headrace::plan {

/// First index in [from, values.size()) whose value is not below x; the values ascend. Steps double from `from`, so
/// that the cost is the logarithm of the distance.
inline std::size_t gallop(std::span<const std::uint64_t> values, std::size_t from, std::uint64_t x) {
  std::size_t step = 1, low = from;
  while (low + step < values.size() && values[low + step] < x) {
    low += step;
    step *= 2;
  }
  const auto end = std::min(low + step + 1, values.size());
  return static_cast<std::size_t>(std::lower_bound(values.begin() + static_cast<std::ptrdiff_t>(low),
                                                   values.begin() + static_cast<std::ptrdiff_t>(end), x) -
                                  values.begin());
}

}  // namespace headrace::plan
