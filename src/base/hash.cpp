#include "base/hash.hpp"

namespace headrace {

namespace {

[[gnu::always_inline]] inline std::uint64_t sum_of(std::span<const std::int64_t> samples) {
  std::uint64_t sum = 0;
  for (const auto sample : samples) sum += sample_hash(static_cast<std::uint64_t>(sample));
  return sum;
}

#if defined(__x86_64__)
// Multiplies 64-bit words eight at a time; the compiler does the rest.
[[gnu::target("avx512f,avx512dq")]] std::uint64_t sum_of_avx512(std::span<const std::int64_t> samples) {
  return sum_of(samples);
}
#endif

}  // namespace

std::uint64_t hash_samples(std::span<const std::int64_t> samples) {
#if defined(__x86_64__)
  static const bool avx512 = __builtin_cpu_supports("avx512dq");
  if (avx512) return sum_of_avx512(samples);
#endif
  return sum_of(samples);
}

}  // namespace headrace
