// Contracts for our own bugs: EXPECTS at entry, ENSURES at exit. Off where NDEBUG is set.
// What users, files and peers send is checked with require() (error.hpp), which is always on.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace headrace::detail {
[[noreturn]] inline void contract_broken(const char* kind, const char* what, const char* file, int line) {
  std::fprintf(stderr, "headrace: internal error: %s(%s) broken at %s:%d\n", kind, what, file, line);
  std::abort();
}
}  // namespace headrace::detail

#ifdef NDEBUG
#define EXPECTS(condition) static_cast<void>(0)
#define ENSURES(condition) static_cast<void>(0)
#else
#define EXPECTS(condition) \
  ((condition) ? static_cast<void>(0) : ::headrace::detail::contract_broken("EXPECTS", #condition, __FILE__, __LINE__))
#define ENSURES(condition) \
  ((condition) ? static_cast<void>(0) : ::headrace::detail::contract_broken("ENSURES", #condition, __FILE__, __LINE__))
#endif
