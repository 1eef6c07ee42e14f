#include "transform/numbers/cast.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "transform/numbers/half.hpp"
#include "transform/numbers/wide_loop.hpp"

namespace headrace::transform::numbers {
namespace {

template <class T, class W>
void store_as(const W* values, std::size_t n, std::byte* out) {
  run_wide(
      [](const W* in, std::size_t count, std::byte* to) HEADRACE_KERNEL {
        for (std::size_t i = 0; i < count; ++i) {
          const auto value = static_cast<T>(in[i]);
          std::memcpy(to + i * sizeof(T), &value, sizeof(T));
        }
      },
      values, n, out);
}

/// The first that `fits` refuses. The loop without an exit becomes vector code.
template <class W, class Fits>
std::size_t first_misfit(const W* values, std::size_t n, Fits fits) {
  const bool good = run_wide(
      [](const W* in, std::size_t count, Fits fit) HEADRACE_KERNEL {
        unsigned bad = 0;
        for (std::size_t i = 0; i < count; ++i) bad |= fit(in[i]) ? 0u : 1u;
        return bad == 0;
      },
      values, n, fits);
  if (good) [[likely]]
    return n;
  return static_cast<std::size_t>(std::find_if_not(values, values + n, fits) - values);
}

/// Whether the truncated value is one of T's.
template <class T, class W>
bool fits_integer(W value) {
  if constexpr (std::is_integral_v<W>) {
    return std::in_range<T>(value);
  } else {
    using Limits = std::numeric_limits<T>;
    constexpr double above = Limits::digits == 64   ? 0x1p64
                             : Limits::digits == 63 ? 0x1p63
                                                    : static_cast<double>(Limits::max()) + 1;
    constexpr double below = Limits::digits == 63 ? -0x1.0000000000001p63 : static_cast<double>(Limits::min()) - 1;
    const double wide = value;
    return (wide > below) & (wide < above);  // false for NaN
  }
}

template <class T, class W>
T saturated(W value) {
  if (fits_integer<T>(value)) return static_cast<T>(value);
  return value < 0 ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}

/// Whether the value itself is one of T's, without a fraction.
template <class T, class W>
bool is_integer(W value) {
  return fits_integer<T>(value) & (std::trunc(value) == value);
}

/// A value of T but for its fraction, which is not for saturating to cut. (What is beyond T's range is: 255.4 is for
/// uint8, 1.5 is not.)
template <class T, class W>
bool is_fraction(W value) {
  if constexpr (std::is_integral_v<W>) return false;
  using Limits = std::numeric_limits<T>;
  const auto least = static_cast<W>(Limits::min()), greatest = static_cast<W>(Limits::max());
  return std::trunc(value) != value && value > least && value < greatest;
}

template <class T, class W>
std::size_t first_unfit(const W* values, std::size_t n, Overflow overflow) {
  if constexpr (std::is_floating_point_v<W>)
    if (!truncates(overflow)) return first_misfit(values, n, [](W value) { return is_integer<T>(value); });
  return first_misfit(values, n, [](W value) { return fits_integer<T>(value); });
}

template <class T, class W>
std::size_t to_integer(const W* values, std::size_t n, Overflow overflow, std::byte* out) {
  const auto misfit = first_unfit<T>(values, n, overflow);
  if (misfit == n) {
    store_as<T>(values, n, out);
    return n;
  }
  if (!saturates(overflow)) return misfit;
  for (std::size_t i = 0; i < n; ++i) {
    if (values[i] != values[i]) return i;  // NaN
    if (!truncates(overflow) && is_fraction<T>(values[i])) return i;
    const T value = saturated<T>(values[i]);
    std::memcpy(out + i * sizeof(T), &value, sizeof(T));
  }
  return n;
}

/// Greatest finite value of a float type, and the least magnitude that rounds beyond it.
struct FloatRange {
  double greatest, beyond;
};
constexpr FloatRange half_range{65504, 65520}, bfloat_range{0x1.fep127, 0x1.ffp127},
    float_range{0x1.fffffep127, 0x1.ffffffp127};

/// Refuses or saturates the finite values beyond the range.
template <class W>
std::size_t keep_in(FloatRange range, W* values, std::size_t n, Overflow overflow) {
  const W beyond = static_cast<W>(range.beyond), greatest = static_cast<W>(range.greatest);
  const auto misfit = first_misfit(values, n, [beyond](W value) {
    const W size = std::fabs(value);
    return !((size >= beyond) & (size <= std::numeric_limits<W>::max()));
  });
  if (misfit == n || !saturates(overflow)) return misfit;
  for (std::size_t i = misfit; i < n; ++i)
    if (std::fabs(values[i]) >= beyond && std::isfinite(values[i])) values[i] = std::copysign(greatest, values[i]);
  return n;
}

/// To float32, in which the second rounding to 16 bits does no harm.
template <class W, class Narrow>
void through_float(const W* values, std::size_t n, Narrow narrow, std::byte* out) {
  if constexpr (std::is_same_v<W, float>) {
    narrow(values, n, out);
  } else {
    constexpr std::size_t piece = 512;
    float floats[piece];
    for (std::size_t done = 0; done < n; done += piece) {
      const auto now = std::min(piece, n - done);
      run_wide(
          [](const W* in, std::size_t count, float* odd) HEADRACE_KERNEL {
            for (std::size_t i = 0; i < count; ++i) odd[i] = to_odd(in[i]);
          },
          values + done, now, floats);
      narrow(floats, now, out + 2 * done);
    }
  }
}

FloatRange range_of(DType to) {
  return to == DType::float16 ? half_range : to == DType::bfloat16 ? bfloat_range : float_range;
}

template <class W>
std::size_t float_to_float(W* values, std::size_t n, DType to, Overflow overflow, std::byte* out) {
  if (size_of(to) < sizeof(W))
    if (const auto misfit = keep_in(range_of(to), values, n, overflow); misfit != n) return misfit;
  cast_within(values, n, to, out);
  return n;
}

template <class W>
std::size_t integer_to_float(const W* values, std::size_t n, DType to, Overflow overflow, std::byte* out) {
  if (to == DType::float64)
    store_as<double>(values, n, out);
  else if (to == DType::float32)
    store_as<float>(values, n, out);
  else {
    constexpr std::size_t piece = 512;
    double doubles[piece];
    for (std::size_t done = 0; done < n; done += piece) {
      const auto now = std::min(piece, n - done);
      for (std::size_t i = 0; i < now; ++i) doubles[i] = to_odd(values[done + i]);
      if (const auto misfit = float_to_float(doubles, now, to, overflow, out + 2 * done); misfit != now)
        return done + misfit;
    }
  }
  return n;
}

}  // namespace

template <class W>
W cast_limit(DType to) {
  const bool narrows = to >= DType::float16 && size_of(to) < sizeof(W);
  return narrows ? std::nextafter(static_cast<W>(range_of(to).beyond), W(0)) : std::numeric_limits<W>::max();
}

template <class W>
void cast_within(const W* values, std::size_t n, DType to, std::byte* out) {
  if (to == DType::float64)
    store_as<double>(values, n, out);
  else if (to == DType::float32)
    store_as<float>(values, n, out);
  else
    through_float(values, n, to == DType::float16 ? float_to_half : float_to_bfloat, out);
}

template float cast_limit<float>(DType);
template double cast_limit<double>(DType);
template void cast_within<float>(const float*, std::size_t, DType, std::byte*);
template void cast_within<double>(const double*, std::size_t, DType, std::byte*);

template <class W>
std::size_t cast(W* values, std::size_t n, DType to, Overflow overflow, std::byte* out) {
  switch (to) {
    case DType::boolean:
      for (std::size_t i = 0; i < n; ++i) out[i] = std::byte{values[i] != 0};
      return n;
    case DType::int8:
      return to_integer<std::int8_t>(values, n, overflow, out);
    case DType::int16:
      return to_integer<std::int16_t>(values, n, overflow, out);
    case DType::int32:
      return to_integer<std::int32_t>(values, n, overflow, out);
    case DType::int64:
      return to_integer<std::int64_t>(values, n, overflow, out);
    case DType::uint8:
      return to_integer<std::uint8_t>(values, n, overflow, out);
    case DType::uint16:
      return to_integer<std::uint16_t>(values, n, overflow, out);
    case DType::uint32:
      return to_integer<std::uint32_t>(values, n, overflow, out);
    case DType::uint64:
      return to_integer<std::uint64_t>(values, n, overflow, out);
    default:
      if constexpr (std::is_floating_point_v<W>)
        return float_to_float(values, n, to, overflow, out);
      else
        return integer_to_float(values, n, to, overflow, out);
  }
}

template std::size_t cast<float>(float*, std::size_t, DType, Overflow, std::byte*);
template std::size_t cast<double>(double*, std::size_t, DType, Overflow, std::byte*);
template std::size_t cast<std::int64_t>(std::int64_t*, std::size_t, DType, Overflow, std::byte*);
template std::size_t cast<std::uint64_t>(std::uint64_t*, std::size_t, DType, Overflow, std::byte*);

}  // namespace headrace::transform::numbers
