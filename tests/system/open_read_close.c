/* How fast so many small files can be opened, read and closed here: `open_read_close THREADS [OUTPUT] < list of paths`. Prints
 * files a second. With an output, what stands behind the header of each .npy is written there, too, row by row as the paths are
 * listed, and made sure of (fdatasync): the least that whoever packs them does. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char** paths;
static long count, next;
static int output = -1;
enum { at_once = 128, header = 128, most = 1 << 16 };

static void* work(void* unused) {
  static __thread char buffer[most], rows[at_once * most];
  (void)unused;
  for (;;) {
    const long first = __atomic_fetch_add(&next, at_once, __ATOMIC_RELAXED);
    long row = 0, in_rows = 0;
    if (first >= count) return NULL;
    for (long i = first; i < first + at_once && i < count; ++i) {
      const int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
      const long got = fd < 0 ? -1 : read(fd, buffer, sizeof buffer);
      if (got < header) exit(1);
      close(fd);
      if (output < 0) continue;
      row = got - header;
      memcpy(rows + in_rows, buffer + header, (size_t)row);
      in_rows += row;
    }
    if (in_rows > 0 && pwrite(output, rows, (size_t)in_rows, first * row) != in_rows) exit(1);
  }
}

int main(int argc, char** argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1;
  pthread_t ids[64];
  struct timespec begin, end;
  char* line = NULL;
  size_t size = 0;
  long room = 0;
  while (getline(&line, &size, stdin) > 0) {
    line[strcspn(line, "\n")] = 0;
    if (count == room) paths = realloc(paths, (size_t)(room = 2 * room + 1024) * sizeof *paths);
    paths[count++] = strdup(line);
  }
  if (argc > 2 && (output = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0) return 1;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int t = 0; t < threads; ++t) pthread_create(&ids[t], NULL, work, NULL);
  for (int t = 0; t < threads; ++t) pthread_join(ids[t], NULL);
  if (output >= 0 && fdatasync(output) != 0) return 1;
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.0f\n", (double)count / ((double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec)));
  return 0;
}
