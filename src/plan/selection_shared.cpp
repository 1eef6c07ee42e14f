// How many samples two selections have in common: counted, not listed.
#include <algorithm>
#include <numeric>
#include <utility>

#include "plan/selection.hpp"

namespace headrace::plan {

namespace {

__extension__ typedef __int128 Wide;  // the keyword does not go with `using`

/// x with a * x = 1 modulo m, for coprime a and m.
Wide inverse(Wide a, Wide m) {
  Wide r0 = m, r1 = a % m, t0 = 0, t1 = 1;
  while (r1 != 0) {
    const Wide q = r0 / r1;
    r0 = std::exchange(r1, r0 - q * r1);
    t0 = std::exchange(t1, t0 - q * t1);
  }
  return t0 < 0 ? t0 + m : t0;
}

/// How many of [from, to) both first + k * step and other + k * other_step select: the numbers that leave the same
/// remainders, by the Chinese remainder theorem.
std::uint64_t common(std::uint64_t first, std::uint64_t step, std::uint64_t other, std::uint64_t other_step,
                     std::uint64_t from, std::uint64_t to) {
  if (from >= to) return 0;
  const auto divisor = std::gcd(step, other_step);
  const Wide apart = static_cast<Wide>(other) - static_cast<Wide>(first);
  if (apart % divisor != 0) return 0;
  const Wide modulus = other_step / divisor;
  const Wide turns = modulus == 1 ? 0
                                  : ((apart / divisor % modulus + modulus) % modulus) *
                                        inverse(static_cast<Wide>(step / divisor), modulus) % modulus;
  const Wide period = static_cast<Wide>(step) * modulus, start = static_cast<Wide>(first) + turns * step;
  const auto below = [&](std::uint64_t border) -> Wide {  // from the start on, counted down where that lies beyond
    const Wide distance = static_cast<Wide>(border) - start;
    return distance >= 0 ? (distance + period - 1) / period : -(-distance / period);
  };
  return static_cast<std::uint64_t>(below(to) - below(from));
}

std::uint64_t shared_by(const Segment& a, const Segment& b) {
  const auto from = std::max(a.first, b.first), to = std::min(a.last, b.last);
  const auto within = [&](const Segment& s) { return s.count_below(to) - s.count_below(from); };
  if (a.period == 1) return within(b);
  if (b.period == 1) return within(a);
  std::uint64_t shared = 0;
  for (const auto x : a.offsets)
    for (const auto y : b.offsets) shared += common(a.first + x, a.period, b.first + y, b.period, from, to);
  return shared;
}

}  // namespace

std::uint64_t shared(const Selection& one, const Selection& other) {
  std::uint64_t count = 0;
  auto a = one.segments().begin(), b = other.segments().begin();
  while (a != one.segments().end() && b != other.segments().end()) {
    if (a->first < b->last && b->first < a->last) count += shared_by(*a, *b);
    if (a->last < b->last)
      ++a;
    else
      ++b;
  }
  return count;
}

}  // namespace headrace::plan
