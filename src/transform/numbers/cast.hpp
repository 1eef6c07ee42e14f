// Checked casts of blocks, as NumPy's astype where the value fits. Pure; any thread.
//
//   to integers   whole numbers; fractions are refused or cut off (towards zero); what is beyond the type's range is
//                 refused or saturates; NaN is always refused
//   to floats     to the nearest, ties to even, in one rounding; a finite value that would become infinite is refused
//                 or becomes the greatest finite one; infinities and NaN stay what they are
//   to bool       not zero, as which NaN counts
#pragma once

#include <cstddef>

#include "base/dtype.hpp"
#include "transform/numbers/overflow.hpp"

namespace headrace::transform::numbers {

/// Casts n values to `out` (n x size_of(to) bytes, any alignment). Returns the place of the first value that was
/// refused (nothing is promised about `out` then), or n. May change the values. W: float, double, std::int64_t,
/// std::uint64_t.
template <class W>
std::size_t cast(W* values, std::size_t n, DType to, Overflow overflow, std::byte* out);

/// The greatest size that cast() to a float type takes without refusing or saturating; the greatest finite W for
/// others.
template <class W>
W cast_limit(DType to);

/// cast() of floats that are within cast_limit(), to a float type: unchecked.
template <class W>
void cast_within(const W* values, std::size_t n, DType to, std::byte* out);

}  // namespace headrace::transform::numbers
