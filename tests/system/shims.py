"""Small libraries in C that tests preload into headrace, so that its system does what they cannot have otherwise."""

import subprocess


def preloaded(folder, name, source):
    """The library, for LD_PRELOAD."""
    (folder / f"{name}.c").write_text(source)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / f"{name}.so", folder / f"{name}.c", "-ldl"], check=True)
    return str(folder / f"{name}.so")


PATH_OF = """
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>
static int path_of(int fd, char path[4096]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, 4095);
  if (length > 0) path[length] = 0;
  return length > 0;
}
"""

# Of the writes to the file FULL_PATH so many fail (FULL_WRITES, else all), behind the first FULL_AFTER. The file FULL_COUNT
# gets a byte for each write, whether it fails or not.
FULL_DISK = PATH_OF + """
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void count(const char* path) {
  const int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
  if (file >= 0 && (write(file, "w", 1) != 1 || close(file) != 0)) abort();
}
static int refused(int fd) {
  static long writes = 0;
  char path[4096];
  if (!path_of(fd, path) || strcmp(path, getenv("FULL_PATH")) != 0) return 0;
  count(getenv("FULL_COUNT"));
  const long ago = __atomic_fetch_add(&writes, 1, __ATOMIC_RELAXED) - atol(getenv("FULL_AFTER"));
  const char* most = getenv("FULL_WRITES");
  return ago >= 0 && (!most || ago < atol(most));
}
ssize_t pwrite64(int fd, const void* from, size_t bytes, off64_t at) {
  static ssize_t (*real)(int, const void*, size_t, off64_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
  if (refused(fd)) { errno = ENOSPC; return -1; }
  return real(fd, from, bytes, at);
}
ssize_t pwrite(int fd, const void* from, size_t bytes, off_t at) { return pwrite64(fd, from, bytes, at); }
"""


def full_disk(folder):
    return preloaded(folder, "full_disk", FULL_DISK)


# Whoever has made blocks of HELD_PART safe stands still once HELD_BLOCKS are there, of all stagers, until the file
# HELD_UNTIL is. What is made safe is never more than a block or two of each thread: no other writes meanwhile.
HELD = PATH_OF + """
#include <dlfcn.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
static long blocks(const char* logs) {
  long count = 0;
  glob_t found;
  if (glob(logs, 0, NULL, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; ++i) {
      char* line = NULL;
      size_t room = 0;
      FILE* log = fopen(found.gl_pathv[i], "re");
      for (ssize_t n; log && (n = getline(&line, &room, log)) > 0;) count += n > 2 && strcmp(line + n - 3, " ;\\n") == 0;
      free(line);
      if (log) fclose(log);
    }
    globfree(&found);
  }
  return count;
}
/* How the file's name goes on behind HELD_PART; none: another file. */
static int is_ours(int fd, char* behind) {
  char path[4096];
  const char* part = getenv("HELD_PART");
  if (!part || !path_of(fd, path) || strncmp(path, part, strlen(part)) != 0) return 0;
  strcpy(behind, path + strlen(part));
  return 1;
}
ssize_t pwrite64(int fd, const void* from, size_t bytes, off64_t at) {
  static ssize_t (*real)(int, const void*, size_t, off64_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
  char behind[4096];
  if (!is_ours(fd, behind)) return real(fd, from, bytes, at);
  pthread_mutex_lock(&one);
  const ssize_t written = real(fd, from, bytes, at);
  pthread_mutex_unlock(&one);
  return written;
}
ssize_t pwrite(int fd, const void* from, size_t bytes, off_t at) { return pwrite64(fd, from, bytes, at); }
int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  char behind[4096], logs[8192];
  if (!is_ours(fd, behind)) return real(fd);
  pthread_mutex_lock(&one);
  const int code = real(fd);
  snprintf(logs, sizeof logs, "%s.blocks.*", getenv("HELD_PART"));
  if (strncmp(behind, ".blocks.", 8) == 0)
    while (access(getenv("HELD_UNTIL"), F_OK) != 0 && blocks(logs) >= atol(getenv("HELD_BLOCKS"))) usleep(1000);
  pthread_mutex_unlock(&one);
  return code;
}
"""


# Somebody else takes TAKE_BYTES of the memory, for as long as this process lives: when it looks for the TAKE_AT_LOOK-th time
# how much is there, or when it makes the memory of its samples.
GREEDY = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static void take(void) {
  const size_t bytes = atol(getenv("TAKE_BYTES"));
  int taken[2], end[2];
  char sign;
  if (pipe2(taken, O_CLOEXEC) != 0 || pipe2(end, O_CLOEXEC) != 0) abort();
  if (fork() == 0) {
    close(end[1]);
    void* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED || write(taken[1], "t", 1) != 1) _exit(1);
    _exit(read(end[0], &sign, 1) == 0 ? 0 : 1);
  }
  close(taken[1]);
  close(end[0]);  /* the other end closes with this process */
  if (read(taken[0], &sign, 1) != 1) abort();
}
FILE* fopen64(const char* path, const char* mode) {
  static int looks = 0;
  const char* at = getenv("TAKE_AT_LOOK");
  if (at && strcmp(path, "/proc/meminfo") == 0 && ++looks == atoi(at)) take();
  return ((FILE* (*)(const char*, const char*))dlsym(RTLD_NEXT, "fopen64"))(path, mode);
}
FILE* fopen(const char* path, const char* mode) { return fopen64(path, mode); }
int memfd_create(const char* name, unsigned flags) {
  if (!getenv("TAKE_AT_LOOK") && strcmp(name, "headrace-store") == 0) take();
  return ((int (*)(const char*, unsigned))dlsym(RTLD_NEXT, "memfd_create"))(name, flags);
}
"""


def greedy(folder):
    return preloaded(folder, "greedy", GREEDY)
