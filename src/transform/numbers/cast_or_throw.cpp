#include "transform/numbers/cast_or_throw.hpp"

#include <cmath>
#include <cstdint>
#include <type_traits>

namespace headrace::transform::numbers {
namespace {

/// Why a cast refuses a value, and what helps.
template <class W>
std::string misfit_text(W value, DType to, Overflow overflow) {
  const auto misfit = fmt::format("{} does not fit {}", shown(value), name_of(to));
  if (value != value) return misfit + "; set nonfinite to a number, or a float as dtype";
  constexpr auto both = "[\"truncate\", \"saturate\"]";
  if constexpr (std::is_floating_point_v<W>) {
    W whole = std::trunc(value);
    std::byte unused[8];
    if (whole != value && cast(&whole, 1, to, Overflow::error, unused) == 1)
      return fmt::format(
          "{} (it is no whole number); set overflow = {} to cut fractions off, a float as dtype, or a scale", misfit,
          saturates(overflow) ? both : "\"truncate\"");
  }
  return fmt::format("{}; set overflow = {}, another dtype, or a scale", misfit,
                     truncates(overflow) ? both : "\"saturate\"");
}

}  // namespace

template <class W>
void cast_or_throw(W* values, std::size_t n, DType to, Overflow overflow, std::byte* out) {
  const auto bad = cast(values, n, to, overflow, out);
  if (bad == n) [[likely]]
    return;
  throw BadElement(bad, misfit_text(values[bad], to, overflow));
}

template void cast_or_throw<float>(float*, std::size_t, DType, Overflow, std::byte*);
template void cast_or_throw<double>(double*, std::size_t, DType, Overflow, std::byte*);
template void cast_or_throw<std::int64_t>(std::int64_t*, std::size_t, DType, Overflow, std::byte*);
template void cast_or_throw<std::uint64_t>(std::uint64_t*, std::size_t, DType, Overflow, std::byte*);

}  // namespace headrace::transform::numbers
