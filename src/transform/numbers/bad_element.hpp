// What a step throws about one value of a block, before anybody has said which row and record that is. Plain values.
#pragma once

#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <type_traits>

#include <fmt/format.h>

namespace headrace::transform::numbers {

struct BadElement : std::runtime_error {
  BadElement(std::size_t index_, const std::string& what) : std::runtime_error(what), index(index_) {}
  std::size_t index;  ///< within the block
};

/// A value as messages show it.
template <class W>
std::string shown(W value) {
  if constexpr (std::is_floating_point_v<W>)
    if (std::isnan(value)) return "NaN";
  return fmt::format("{}", value);
}

}  // namespace headrace::transform::numbers
