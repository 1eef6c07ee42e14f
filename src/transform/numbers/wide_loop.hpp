// Loops compiled twice: for the processor that the build is for, and with AVX2 and F16C, where the machine has them.
// Without indirect functions, which sanitizers do not bear. Pure; any thread.
//
// A kernel is a lambda whose body HEADRACE_KERNEL forces into the function that calls it: there the compiler makes
// vector code of it with the instructions that this function may use.
#pragma once

#include <utility>

#if defined(__x86_64__) && defined(__GNUC__)
#define HEADRACE_AVX2 1
#define HEADRACE_TARGET __attribute__((target("avx2,f16c")))
#endif
#define HEADRACE_KERNEL __attribute__((always_inline))

namespace headrace::transform::numbers {

#if HEADRACE_AVX2
inline const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c");

template <class Kernel, class... Arguments>
HEADRACE_TARGET auto run_avx2(const Kernel& kernel, Arguments... arguments) {
  return kernel(arguments...);
}
#endif

template <class Kernel, class... Arguments>
auto run_wide(const Kernel& kernel, Arguments... arguments) {
#if HEADRACE_AVX2
  if (has_avx2) return run_avx2(kernel, arguments...);
#endif
  return kernel(arguments...);
}

}  // namespace headrace::transform::numbers
