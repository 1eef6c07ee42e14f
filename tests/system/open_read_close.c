/* How fast so many small files can be opened, read and closed here: `open_read_close THREADS < list of paths`. Prints files a
 * second. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char** paths;
static long count, next, at_once = 128;

static void* work(void* unused) {
  static __thread char buffer[1 << 16];
  (void)unused;
  for (;;) {
    const long first = __atomic_fetch_add(&next, at_once, __ATOMIC_RELAXED);
    if (first >= count) return NULL;
    for (long i = first; i < first + at_once && i < count; ++i) {
      const int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
      if (fd < 0 || read(fd, buffer, sizeof buffer) < 0) exit(1);
      close(fd);
    }
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
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int t = 0; t < threads; ++t) pthread_create(&ids[t], NULL, work, NULL);
  for (int t = 0; t < threads; ++t) pthread_join(ids[t], NULL);
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.0f\n", (double)count / ((double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec)));
  return 0;
}
