// Preloaded into a stager: the disk of its scratch files is one that tests cannot have. By the environment:
//   FAIL=FILE     from the moment on at which the file is there, reads fail, as those of a broken disk do
//   FULL=1        there is no room, though the file system says that there is
//   NETWORK=DIR   the folder is on a file system of the network
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static ssize_t read_or_fail(int fd, void* to, size_t bytes, off_t offset) {
  const char* sign = getenv("FAIL");
  if (sign && (fcntl(fd, F_GETFL) & O_DIRECT) && access(sign, F_OK) == 0) {
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
