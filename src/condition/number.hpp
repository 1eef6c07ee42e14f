// Exact integers and how they stand beside doubles. Pure; any thread.
//
// Columns hold 64 bits; 128 hold sums and products of them, of either sign. What does not fit (beyond 1.7e38) is
// reported to the caller, never wrapped.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

namespace headrace::condition {

__extension__ typedef __int128 Integer;  // the keyword does not go with `using`

/// An integer that is none (x % 0). Like NaN it compares false with everything, and what is computed from it is
/// undefined too. No other result has this value.
constexpr Integer undefined = -(static_cast<Integer>(1) << 126) * 2;
constexpr double beyond = 0x1p127;  ///< greater than any Integer

inline bool defined(Integer x) {
  return x != undefined;
}
inline double to_real(Integer x) {
  return defined(x) ? static_cast<double>(x) : std::numeric_limits<double>::quiet_NaN();
}

inline bool less(double a, double b) {
  return a < b;
}
inline bool less(Integer a, Integer b) {
  return a < b && defined(a);
}
inline bool less(Integer a, double b) {
  if (!defined(a) || !(b > -beyond)) return false;
  if (b >= beyond) return true;
  const double floor = std::floor(b);
  const auto whole = static_cast<Integer>(floor);
  return a < whole || (a == whole && floor < b);
}
inline bool less(double a, Integer b) {
  if (!defined(b) || !(a < beyond)) return false;
  if (a <= -beyond) return true;
  const double ceiling = std::ceil(a);
  const auto whole = static_cast<Integer>(ceiling);
  return whole < b || (whole == b && a < ceiling);
}

/// The double as an integer, where it is one.
inline std::optional<Integer> whole_number(double x) {
  if (!(std::abs(x) < beyond) || std::floor(x) != x) return std::nullopt;
  return static_cast<Integer>(x);
}

inline bool equal(double a, double b) {
  return a == b;
}
inline bool equal(Integer a, Integer b) {
  return a == b && defined(a);
}
inline bool equal(Integer a, double b) {
  const auto whole = whole_number(b);
  return whole && *whole == a;  // which no undefined one is
}
inline bool equal(double a, Integer b) {
  return equal(b, a);
}

/// True where the result fits; `undefined` in makes `undefined` out.
template <class Operation>  // bool(Integer, Integer, Integer*): overflow, as the compiler's builtins say it
bool checked(Integer a, Integer b, Integer& result, const Operation& overflows) {
  if (!defined(a) || !defined(b)) [[unlikely]] {
    result = undefined;
    return true;
  }
  return !overflows(a, b, &result) && defined(result);
}

/// The remainder with the divisor's sign, as in Python and NumPy.
inline Integer modulo(Integer a, Integer b) {
  if (!defined(a) || !defined(b) || b == 0) return undefined;
  const Integer rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
inline double modulo(double a, double b) {
  const double rest = std::fmod(a, b);
  if (b == 0 || std::isnan(rest)) return rest;
  if (rest == 0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

}  // namespace headrace::condition
