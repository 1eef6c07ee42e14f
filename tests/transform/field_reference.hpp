// Random fields, their raw rows, and what must become of them: one value at a time, in exactly the stated order, in
// long double where nothing is computed (it holds every integer of 64 bits).
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "transform/field_transform.hpp"
#include "transform/numbers/logarithm.hpp"

namespace reference {

using namespace headrace;
using namespace headrace::transform;
using Bytes = std::vector<std::byte>;
using Real = long double;

inline bool is_float(DType t) {
  return t >= DType::float16;
}
inline bool is_signed(DType t) {
  return t >= DType::int8 && t <= DType::int64;
}

/// A float of `digits` bits of precision and least normal exponent, from its bits.
inline Real decode_float(std::uint64_t bits, int mantissa, int exponent_bits) {
  const std::uint64_t fraction = bits & ((1ull << mantissa) - 1);
  const auto exponent = static_cast<int>(bits >> mantissa & ((1ull << exponent_bits) - 1));
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const Real sign = bits >> (mantissa + exponent_bits) & 1 ? -1 : 1;
  if (exponent == 2 * bias + 1)
    return fraction ? std::numeric_limits<Real>::quiet_NaN() : sign * std::numeric_limits<Real>::infinity();
  if (exponent == 0) return sign * std::ldexp(static_cast<Real>(fraction), 1 - bias - mantissa);
  return sign * std::ldexp(static_cast<Real>(fraction | 1ull << mantissa), exponent - bias - mantissa);
}

/// The value of a cell in the host's byte order.
inline Real decode(const std::byte* at, DType type) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, at, size_of(type));
  if (type == DType::boolean) return bits != 0;
  if (type == DType::float16) return decode_float(bits, 10, 5);
  if (type == DType::bfloat16) return decode_float(bits, 7, 8);
  if (type == DType::float32) return decode_float(bits, 23, 8);
  if (type == DType::float64) return decode_float(bits, 52, 11);
  if (!is_signed(type)) return static_cast<Real>(bits);
  const auto unused = static_cast<int>(64 - 8 * size_of(type));
  return static_cast<Real>(static_cast<std::int64_t>(bits << unused) >> unused);
}

inline Real read_cell(const Cell& cell, const std::byte* record) {
  std::byte bytes[8] = {};
  const auto size = size_of(cell.dtype);
  std::memcpy(bytes, record + cell.offset, size);
  if (cell.big_endian) std::reverse(bytes, bytes + size);
  return decode(bytes, cell.dtype);
}

struct Bad {};

inline Real round_to(Real x, int digits, int least_exponent, Real greatest, Overflow overflow) {
  if (std::isnan(x) || std::isinf(x) || x == 0) return x;
  int exponent = 0;
  std::frexp(x, &exponent);
  const int ulp = std::max(exponent - 1, least_exponent) - (digits - 1);
  const Real rounded = std::ldexp(std::nearbyint(std::ldexp(x, -ulp)), ulp);
  if (std::fabs(rounded) <= greatest) return rounded;
  if (!numbers::saturates(overflow)) throw Bad{};
  return std::copysign(greatest, x);
}

inline Real cast_to(Real x, DType to, Overflow overflow) {
  if (to == DType::boolean) return x != 0;
  if (to == DType::float16) return round_to(x, 11, -14, 65504, overflow);
  if (to == DType::bfloat16) return round_to(x, 8, -126, 0x1.fep127L, overflow);
  if (to == DType::float32) return round_to(x, 24, -126, 0x1.fffffep127L, overflow);
  if (to == DType::float64) return static_cast<double>(x);
  if (std::isnan(x)) throw Bad{};
  const auto bits = static_cast<int>(8 * size_of(to));
  const Real least = is_signed(to) ? -std::ldexp(Real(1), bits - 1) : 0;
  const Real greatest = std::ldexp(Real(1), is_signed(to) ? bits - 1 : bits) - 1;
  const Real whole = std::trunc(x) + 0;  // no negative zero
  const bool truncate = overflow == Overflow::truncate || overflow == Overflow::truncate_saturate;
  const bool saturate = overflow == Overflow::saturate || overflow == Overflow::truncate_saturate;
  if (whole >= least && whole <= greatest && (whole == x || truncate)) return whole;
  if (x > least && x < greatest && !truncate) throw Bad{};  // a fraction
  if (!saturate) throw Bad{};
  return x < 0 ? least : greatest;
}

/// float64 holds no more than 53 bits of an integer: where nothing else happens to it, it is shifted before.
inline std::optional<double> shifted_integer(const ColumnSpec& column, Real raw) {
  const bool long_integer = column.cell.dtype == DType::int64 || column.cell.dtype == DType::uint64;
  if (!long_integer || column.cf || column.log || column.tanh_log || !column.scaled) return std::nullopt;
  const double whole = std::floor(column.shift);
  const Real difference = raw - whole;
  if (difference < -0x1p63L || difference >= 0x1p63L || (whole < 0 && column.cell.dtype == DType::uint64))
    return std::nullopt;
  return static_cast<double>(difference) - (column.shift - whole);
}

template <class W>
Real compute(const ColumnSpec& column, Real raw) {
  W x = static_cast<W>(raw);
  if (column.cf) {
    for (const double fill : column.cf->fill_values)
      if (raw == fill) x = std::numeric_limits<W>::quiet_NaN();
    if (column.cf->scaled) {
      volatile W product = x * static_cast<W>(column.cf->scale_factor);
      x = product + static_cast<W>(column.cf->add_offset);
    }
  }
  if (!std::isfinite(x) && column.nonfinite.kind == Nonfinite::Kind::error) throw Bad{};
  if (!std::isfinite(x) && column.nonfinite.kind == Nonfinite::Kind::replace)
    x = static_cast<W>(column.nonfinite.value);
  if (column.log) {
    if (x <= 0) throw Bad{};
    numbers::take_logarithms(&x, 1);  // itself checked against the library's
  }
  if (column.tanh_log) x = std::isinf(x) ? std::copysign(W(1), x) : x / (std::fabs(x) + 2);
  if (const auto shifted = shifted_integer(column, raw))
    x = static_cast<W>(*shifted) / static_cast<W>(column.scale);
  else if (column.scaled)
    x = (x - static_cast<W>(column.shift)) / static_cast<W>(column.scale);
  if (!std::isfinite(x) && column.nonfinite.kind != Nonfinite::Kind::keep) throw Bad{};
  return x;
}

inline Real finished(const ColumnSpec& column, Real raw, DType to, Overflow overflow) {
  const bool computed = column.cf || column.log || column.tanh_log || column.scaled;
  if (!computed && !is_float(column.cell.dtype)) return cast_to(raw, to, overflow);
  using enum DType;
  const auto from = column.cell.dtype;
  const bool long_source = from == int32 || from == uint32 || from == int64 || from == uint64 || from == float64;
  const bool long_result = to == int32 || to == uint32 || to == int64 || to == uint64;
  const bool wide =
      to == float64 || long_source || (long_result && !is_float(from)) || (column.cf && column.cf->dtype == float64);
  return cast_to(wide ? compute<double>(column, raw) : compute<float>(column, raw), to, overflow);
}

/// What stands in place of records that are not valid.
inline Real filled(const FieldSpec& field) {
  return cast_to(field.fill, field.dtype, Overflow::error);
}

inline bool same(Real a, Real b) {
  return a == b ? std::signbit(a) == std::signbit(b) : std::isnan(a) && std::isnan(b);
}

}  // namespace reference
