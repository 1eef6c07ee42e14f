// What conditions compute, a second time: numbers of any size (Boost.Multiprecision), and every comparison between
// exact fractions. Shares nothing with what it checks.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <variant>

namespace condition_reference {

using boost::multiprecision::cpp_int;
using boost::multiprecision::cpp_rational;

constexpr double nan_ = std::numeric_limits<double>::quiet_NaN(), inf_ = std::numeric_limits<double>::infinity();

/// An integer that is none: x % 0.
struct Undefined {};
using Number = std::variant<cpp_int, double, Undefined>;
using Value = std::variant<bool, Number, std::string>;
struct TooLarge {};

inline double real(const Number& number) {
  if (const auto* integer = std::get_if<cpp_int>(&number)) return std::strtod(integer->str().c_str(), nullptr);
  return std::holds_alternative<double>(number) ? std::get<double>(number) : nan_;
}

inline cpp_rational fraction(double x) {
  int power = 0;
  const auto digits = static_cast<std::int64_t>(std::ldexp(std::frexp(x, &power), 53));
  power -= 53;
  return power >= 0 ? cpp_rational(cpp_int(digits) << power) : cpp_rational(cpp_int(digits), cpp_int(1) << -power);
}

/// -1, 0, 1; nothing where either is NaN or undefined.
inline std::optional<int> order(const Number& a, const Number& b) {
  const auto infinite = [](const Number& x) { return std::isinf(real(x)) ? (real(x) > 0 ? 1 : -1) : 0; };
  if (std::isnan(real(a)) || std::isnan(real(b))) return std::nullopt;
  if (infinite(a) || infinite(b)) return infinite(a) < infinite(b) ? -1 : infinite(a) > infinite(b);
  const auto exact = [](const Number& x) {
    return std::holds_alternative<double>(x) ? fraction(std::get<double>(x)) : cpp_rational(std::get<cpp_int>(x));
  };
  const auto difference = exact(a).compare(exact(b));
  return difference < 0 ? -1 : difference > 0;
}

inline cpp_int floor_of(const cpp_rational& x) {
  cpp_int quotient = numerator(x) / denominator(x);
  if (quotient * denominator(x) > numerator(x)) --quotient;
  return quotient;
}

inline double real_modulo(double a, double b) {
  if (std::isnan(a) || std::isnan(b) || std::isinf(a) || b == 0) return nan_;
  if (std::isinf(b)) return a == 0 ? std::copysign(0.0, b) : (a < 0) == (b < 0) ? a : b;
  const cpp_rational rest =
      fraction(a) - fraction(b) * floor_of(b < 0 ? fraction(-a) / fraction(-b) : fraction(a) / fraction(b));
  if (rest == 0) return std::copysign(0.0, b);
  auto power = static_cast<int>(msb(denominator(rest)));  // denominators of float64 are powers of two
  cpp_int size = abs(numerator(rest));
  if (const auto digits = static_cast<int>(msb(size));
      digits > 200) {  // more than strtod takes: what goes leaves a bit
    const bool lost = lsb(size) < static_cast<unsigned>(digits - 200);
    size >>= digits - 200;
    if (lost) size |= 1;
    power -= digits - 200;
  }
  return std::copysign(std::ldexp(std::strtod(size.str().c_str(), nullptr), -power), rest < 0 ? -1.0 : 1.0);
}

inline Number checked(const cpp_int& value) {
  static const cpp_int limit = cpp_int(1) << 127;
  if (value >= limit || value <= -limit) throw TooLarge{};
  return value;
}

inline Number compute(const std::string& sign, const Number& a, const Number& b) {
  if (sign == "/") return real(a) / real(b);
  if (std::holds_alternative<double>(a) || std::holds_alternative<double>(b)) {
    const double x = real(a), y = real(b);
    return sign == "+" ? x + y : sign == "-" ? x - y : sign == "*" ? x * y : real_modulo(x, y);
  }
  if (std::holds_alternative<Undefined>(a) || std::holds_alternative<Undefined>(b)) return Undefined{};
  const auto &x = std::get<cpp_int>(a), &y = std::get<cpp_int>(b);
  if (sign == "+") return checked(x + y);
  if (sign == "-") return checked(x - y);
  if (sign == "*") return checked(x * y);
  if (y == 0) return Undefined{};
  return checked(x - y * floor_of(y < 0 ? cpp_rational(-x, -y) : cpp_rational(x, y)));
}

inline bool compare(const std::string& sign, const Value& a, const Value& b) {
  if (const auto* text = std::get_if<std::string>(&a)) return (*text == std::get<std::string>(b)) == (sign == "==");
  const auto number = [](const Value& x) {
    return std::holds_alternative<bool>(x) ? Number(cpp_int(std::get<bool>(x) ? 1 : 0)) : std::get<Number>(x);
  };
  const auto o = order(number(a), number(b));
  if (!o) return false;
  return sign == "=="   ? *o == 0
         : sign == "!=" ? *o != 0
         : sign == "<"  ? *o < 0
         : sign == "<=" ? *o <= 0
         : sign == ">"  ? *o > 0
                        : *o >= 0;
}

}  // namespace condition_reference
