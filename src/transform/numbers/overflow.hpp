// What is done to a value that the type it is cast to cannot hold. Plain values.
#pragma once

namespace headrace::transform::numbers {

/// What becomes of values that a type cannot hold. Bits: cut fractions (truncate), and cut at the type's
/// range (saturate); what is not named is refused.
enum class Overflow { error = 0, saturate = 1, truncate = 2, truncate_saturate = 3 };
inline bool saturates(Overflow overflow) {
  return (static_cast<int>(overflow) & 1) != 0;
}
inline bool truncates(Overflow overflow) {
  return (static_cast<int>(overflow) & 2) != 0;
}

}  // namespace headrace::transform::numbers
