// Checked integer casts: every MPI count, every size that a peer names.
#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"

namespace headrace {

/// value as To; Error when it does not fit.
template <class To, class From>
constexpr To narrow(From value) {
  if (!std::in_range<To>(value)) [[unlikely]]
    throw Error("value " + std::to_string(value) + " does not fit its integer type");
  return static_cast<To>(value);
}

}  // namespace headrace
