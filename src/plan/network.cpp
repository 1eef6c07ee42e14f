#include "plan/network.hpp"

#include "base/contract.hpp"

namespace headrace::plan {

namespace {

/// splitmix64: a counter through a strong finaliser, so that neighbouring keys share nothing.
std::uint64_t next_key(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

/// The inverse of an odd number mod 2^64: each step doubles the bits that are right (the first three are).
std::uint64_t inverse_of_odd(std::uint64_t m) {
  std::uint64_t inverse = m;
  for (int step = 0; step < 5; ++step) inverse *= 2 - m * inverse;
  return inverse;
}

template <class Word>
[[gnu::always_inline]] inline void run(const Network& network, Direction direction, Word* x, std::size_t count) {
  const Network keys = network;  // a copy that x cannot alias: keys stay in registers
  const std::size_t whole = (count + lane_group - 1) / lane_group * lane_group;
  if (direction == Direction::forward)
    for (std::size_t i = 0; i < whole; ++i) x[i] = keys.forward(x[i]);
  else
    for (std::size_t i = 0; i < whole; ++i) x[i] = keys.backward(x[i]);
}

// One body, compiled per instruction set. Plain functions and a choice at run time rather than target_clones: the
// latter's resolvers run before a sanitizer's runtime is there.
#define HEADRACE_LANES(NAME, ...)                                                                           \
  __VA_ARGS__ void NAME(const Network& network, Direction direction, std::uint32_t* x, std::size_t count) { \
    run(network, direction, x, count);                                                                      \
  }                                                                                                         \
  __VA_ARGS__ void NAME(const Network& network, Direction direction, std::uint64_t* x, std::size_t count) { \
    run(network, direction, x, count);                                                                      \
  }

HEADRACE_LANES(run_any)
#if defined(__x86_64__)
HEADRACE_LANES(run_avx2, [[gnu::target("avx2")]])
HEADRACE_LANES(run_avx512, [[gnu::target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")]])
#endif
#undef HEADRACE_LANES

template <class Word>
void dispatch(const Network& network, Direction direction, Word* x, std::size_t count, Isa isa) {
  EXPECTS(supported(isa));
#if defined(__x86_64__)
  if (isa == Isa::avx512) return run_avx512(network, direction, x, count);
  if (isa == Isa::avx2) return run_avx2(network, direction, x, count);
#endif
  static_cast<void>(isa);
  run_any(network, direction, x, count);
}

}  // namespace

bool supported(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::avx512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2");
#endif
  return isa == Isa::any;
}

Isa best_isa() {
  static const Isa best = supported(Isa::avx512) ? Isa::avx512 : supported(Isa::avx2) ? Isa::avx2 : Isa::any;
  return best;
}

Network::Network(unsigned bits, std::uint64_t key) : mask(~std::uint64_t{0} >> (64 - bits)), shift((bits + 1) / 2) {
  EXPECTS(bits >= 2 && bits <= 64);
  std::uint64_t state = next_key(key);
  for (unsigned r = 0; r < rounds; ++r) {
    multiplier[r] = next_key(state) | 1;
    unmultiplier[r] = inverse_of_odd(multiplier[r]);
    addend[r] = next_key(state);
  }
}

void run_lanes(const Network& network, Direction direction, std::uint32_t* x, std::size_t count, Isa isa) {
  dispatch(network, direction, x, count, isa);
}

void run_lanes(const Network& network, Direction direction, std::uint64_t* x, std::size_t count, Isa isa) {
  dispatch(network, direction, x, count, isa);
}

}  // namespace headrace::plan
