"""Small libraries in C that tests preload into headrace, so that its system does what they cannot have otherwise."""

import subprocess


def preloaded(folder, name, source):
    """The library, for LD_PRELOAD."""
    (folder / f"{name}.c").write_text(source)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / f"{name}.so", folder / f"{name}.c", "-ldl"], check=True)
    return str(folder / f"{name}.so")


# Of the writes to the file FULL_PATH so many fail (FULL_WRITES, else all), behind the first FULL_AFTER. The file FULL_COUNT
# gets a byte for each write, whether it fails or not.
FULL_DISK = """
#define _GNU_SOURCE
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
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0 || (path[length] = 0, strcmp(path, getenv("FULL_PATH")) != 0)) return 0;
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
