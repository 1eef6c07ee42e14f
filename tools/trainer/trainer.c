/* headrace-trainer: a trainer in plain C that trains nothing. `headrace bench` runs it; it serves as an example, too.
 *
 *   headrace-trainer SERVICE STREAM RANK WORLD_SIZE LOCAL_RANK
 *
 * For each line "N COMPUTE_US" on standard input it goes through N batches, sleeps so long over each, as a process does
 * whose accelerator computes, and answers with one line on standard output:
 *   SECONDS ROWS WAIT_US WAIT_US ...      (time for all of them; rows; and how long each acquire took)
 * End of input: goodbye, exit code 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "headrace/headrace.h"

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int fail(const char* what) {
  fprintf(stderr, "headrace-trainer: %s: %s\n", what, hr_error());
  return 1;
}

static int go_through(hr_stream* stream, long batches, long compute_us) {
  const struct timespec compute = {compute_us / 1000000, compute_us % 1000000 * 1000};
  double* waits = malloc((size_t)batches * sizeof *waits);
  unsigned long rows = 0;
  const double begin = now();
  if (waits == NULL) return 1;
  for (long i = 0; i < batches; ++i) {
    hr_batch batch = HR_BATCH_INIT;
    const double asked = now();
    if (hr_acquire(stream, -1, &batch) != HR_OK) return fail("no batch");
    waits[i] = now() - asked;
    rows += batch.rows;
    if (compute_us > 0) nanosleep(&compute, NULL);
    if (hr_release(stream, batch.lease, 1) != HR_OK) return fail("no release");
  }
  printf("%.9f %lu", now() - begin, rows);
  for (long i = 0; i < batches; ++i) printf(" %.1f", 1e6 * waits[i]);
  printf("\n");
  free(waits);
  return fflush(stdout);
}

int main(int argc, char** argv) {
  hr_options options = HR_OPTIONS_INIT;
  hr_stream* stream = NULL;
  long batches = 0, compute_us = 0;
  if (argc != 6) {
    fprintf(stderr, "usage: headrace-trainer SERVICE STREAM RANK WORLD_SIZE LOCAL_RANK\n");
    return 2;
  }
  options.timeout = 600;
  options.service = argv[1];
  options.stream = argv[2];
  options.rank = atoi(argv[3]);
  options.world_size = atoi(argv[4]);
  options.local_rank = atoi(argv[5]);
  if (hr_connect(&options, &stream) != HR_OK) return fail("no connection");
  while (scanf("%ld %ld", &batches, &compute_us) == 2)
    if (batches <= 0 || go_through(stream, batches, compute_us) != 0) {
      hr_close(stream, 0, 0);
      return 1;
    }
  hr_close(stream, 1, 0);
  return 0;
}
