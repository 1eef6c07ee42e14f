/* fake_stager for a test in C: started and ended, connected to, and the batches that come from it checked against the
 * formula in formula.hpp. */
#pragma once

#define _GNU_SOURCE /* pipe2; as it must come before headers of the system, this one is included first */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "c_checks.h"
#include "headrace/headrace.h"

static const char* stager_path; /* of the program, as main() was told */
static char name[64];           /* of the service that start() began last */

typedef struct {
  pid_t pid;
  int out;
} stager;

/* Starts fake_stager with the arguments up to NULL, under a name of its own, and returns when trainers can connect. */
static inline stager start(const char* first, ...) {
  static int count = 0;
  const char* arguments[32] = {"fake_stager", "--name", name, first};
  int n = first ? 4 : 3;
  int ends[2];
  char line[128];
  size_t got = 0;
  stager made;
  va_list rest;
  va_start(rest, first);
  while (first && n < 31 && (arguments[n] = va_arg(rest, const char*))) ++n;
  arguments[n] = NULL;
  va_end(rest);
  snprintf(name, sizeof name, "c-api.%d.%d", (int)getpid(), ++count);
  if (pipe2(ends, O_CLOEXEC) != 0) abort();
  made.pid = fork();
  if (made.pid < 0) abort();
  if (made.pid == 0) {
    dup2(ends[1], 1);
    execv(stager_path, (char* const*)arguments);
    _exit(127);
  }
  close(ends[1]);
  made.out = ends[0];
  while (got < sizeof line - 1 && read(made.out, line + got, 1) == 1 && line[got] != '\n') ++got;
  if (strncmp(line, "ready", 5) != 0) abort();
  return made;
}

/* Ends it by the signal, if it is not 0, and returns how it ended (as of waitpid). */
static inline int stop(stager s, int signal) {
  int status = 0;
  if (signal) kill(s.pid, signal);
  waitpid(s.pid, &status, 0);
  close(s.out);
  return status;
}

/* Those of the only trainer of the stager that was started last. */
static inline hr_options options(void) {
  hr_options o = HR_OPTIONS_INIT;
  o.service = name;
  o.timeout = 20;
  return o;
}

static inline hr_stream* join(void) {
  const hr_options o = options();
  hr_stream* stream = NULL;
  CHECK_CODE(hr_connect(&o, &stream), HR_OK);
  if (!stream) exit(1);
  return stream;
}

/* Whether each row has the values of its sample, in ascending order but for the padding. */
static inline int right(const hr_batch* b) {
  for (uint32_t row = 0; row < b->filled; ++row) {
    const int64_t s = b->index[row];
    const float* x = (const float*)b->data[0] + 12 * row;
    const int64_t* label = (const int64_t*)b->data[1] + row;
    const unsigned char* even = (const unsigned char*)b->data[2] + 2 * row;
    for (int i = 0; i < 12; ++i)
      if (x[i] != (float)s + (float)i / 16) return 0;
    if (*label != 10 * s || even[0] != (s % 2 == 0) || even[1] != (s % 3 == 0)) return 0;
    if (row > 0 && row < b->rows && b->index[row] <= b->index[row - 1]) return 0;
  }
  return 1;
}
