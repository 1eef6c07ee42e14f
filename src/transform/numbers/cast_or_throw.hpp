// Casts that tell what is wrong. Pure; any thread.
#pragma once

#include "transform/numbers/bad_element.hpp"
#include "transform/numbers/cast.hpp"

namespace headrace::transform::numbers {

/// cast() that throws BadElement, which says what helps.
template <class W>
void cast_or_throw(W* values, std::size_t n, DType to, Overflow overflow, std::byte* out);

}  // namespace headrace::transform::numbers
