// How many classes an element type tells apart. Pure.
#pragma once

#include <cstdint>

#include "base/dtype.hpp"

namespace headrace::transform {

/// How many codes, counted from 0.
std::uint64_t distinct_codes(DType to);

}  // namespace headrace::transform
