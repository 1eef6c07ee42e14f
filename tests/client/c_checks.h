/* Checks of a test in C: one that fails says where and why, is counted, and the test goes on. Calls are those of the
 * trainers' library: its last error is said as well. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "headrace/headrace.h"

static int failures = 0;

#define CHECK(condition)                                                                        \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      ++failures;                                                                               \
      printf("%s:%d: failed: %s (hr_error: %s)\n", __FILE__, __LINE__, #condition, hr_error()); \
    }                                                                                           \
  } while (0)
/* What a call returns. */
#define CHECK_CODE(call, code)                                                                              \
  do {                                                                                                      \
    const int got = (call);                                                                                 \
    if (got != (code)) {                                                                                    \
      ++failures;                                                                                           \
      printf("%s:%d: %s is %d, not %d (hr_error: %s)\n", __FILE__, __LINE__, #call, got, code, hr_error()); \
    }                                                                                                       \
  } while (0)
/* What the last failure of a call says of itself. */
#define CHECK_SAYS(text)                                                        \
  do {                                                                          \
    if (!strstr(hr_error(), text)) {                                            \
      ++failures;                                                               \
      printf("%s:%d: '%s' lacks '%s'\n", __FILE__, __LINE__, hr_error(), text); \
    }                                                                           \
  } while (0)
