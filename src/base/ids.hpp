// Strong integer types for the numbers that must not be mixed up.
//
//   Sample    index along axis 0 of the data set (all files together)
//   Ordinal   index within a stream's selection, ascending in Sample
//   Position  index within one epoch of a stream: position p holds ordinal perm(p)
#pragma once

#include <compare>
#include <cstdint>

namespace headrace {

template <class Tag>
struct Number {
  std::uint64_t value = 0;

  constexpr auto operator<=>(const Number&) const = default;
  constexpr Number& operator++() {
    ++value;
    return *this;
  }
  friend constexpr Number operator+(Number a, std::uint64_t n) { return {a.value + n}; }
  friend constexpr Number operator-(Number a, std::uint64_t n) { return {a.value - n}; }
  /// Distance; a >= b must hold.
  friend constexpr std::uint64_t operator-(Number a, Number b) { return a.value - b.value; }
};

using Sample = Number<struct SampleTag>;
using Ordinal = Number<struct OrdinalTag>;
using Position = Number<struct PositionTag>;

}  // namespace headrace
