// Preloaded into a stager: the disk of its scratch files is one that tests cannot have. By the environment:
//   FAIL=FILE     from the moment on at which the file is there, reads fail, as those of a broken disk do
//   HELD=FILE     as long as the file is there, reads beyond the first HELD_FROM bytes wait, as those of a disk that hangs do
//   BROKEN=PATH   those of this file, instead of those of scratch files
//   FULL=1        there is no room, though the file system says that there is
//   NETWORK=DIR   the folder is on a file system of the network
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_broken(int fd) {
  const char* broken = getenv("BROKEN");
  if (!broken) return fcntl(fd, F_GETFL) & O_DIRECT;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  return length > 0 && (path[length] = 0, strcmp(path, broken) == 0);
}

static void wait_while_held(int fd, off_t end) {
  const char *sign = getenv("HELD"), *from = getenv("HELD_FROM");
  if (!sign || (from && end <= atol(from))) return;
  while (access(sign, F_OK) == 0 && is_broken(fd)) usleep(1000);
}

static ssize_t read_or_fail(int fd, void* to, size_t bytes, off_t offset) {
  wait_while_held(fd, offset + (off_t)bytes);
  const char* sign = getenv("FAIL");
  if (sign && access(sign, F_OK) == 0 && is_broken(fd)) {
    errno = EIO;
    return -1;
  }
  return syscall(SYS_pread64, fd, to, bytes, offset);
}

ssize_t pread(int fd, void* to, size_t bytes, off_t offset) {
  return read_or_fail(fd, to, bytes, offset);
}

ssize_t pread64(int fd, void* to, size_t bytes, off_t offset) {
  return read_or_fail(fd, to, bytes, offset);
}

static int allocate_or_not(int fd, int mode, off_t offset, off_t bytes) {
  if (getenv("FULL") && (fcntl(fd, F_GETFL) & O_DIRECT)) {
    errno = ENOSPC;
    return -1;
  }
  return (int)syscall(SYS_fallocate, fd, mode, offset, bytes);
}

int fallocate(int fd, int mode, off_t offset, off_t bytes) {
  return allocate_or_not(fd, mode, offset, bytes);
}

int fallocate64(int fd, int mode, off_t offset, off_t bytes) {
  return allocate_or_not(fd, mode, offset, bytes);
}

int statfs(const char* path, struct statfs* found) {
  const int result = (int)syscall(SYS_statfs, path, found);
  const char* network = getenv("NETWORK");
  if (result == 0 && network && strcmp(network, path) == 0) found->f_type = 0x6969;
  return result;
}
