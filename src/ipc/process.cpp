#include "ipc/process.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string>

#include "base/error.hpp"
#include "ipc/no_descriptor.hpp"

namespace headrace::ipc {

Fd open_pidfd(pid_t pid) {
  Fd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!fd && errno == ENOSYS) throw Error(errno_text("pidfd_open", errno) + "; Linux 5.3 or newer is needed");
  if (!fd) throw_no_descriptor("pidfd_open of process " + std::to_string(pid));
  return fd;
}

std::optional<pid_t> pid_of_pidfd(const Fd& pidfd) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(pidfd.get()));
  std::string key;
  while (info >> key) {
    if (key == "Pid:") {
      long pid = -1;
      info >> pid;
      if (pid < 0) return std::nullopt;
      return static_cast<pid_t>(pid);
    }
    std::getline(info, key);
  }
  throw Error(
      "the descriptor received is no pidfd (a peer of another version?); use the library of the service's version");
}

bool alive(const Fd& pidfd) {
  pollfd entry{pidfd.get(), POLLIN, 0};
  return poll(&entry, 1, 0) <= 0;
}

Bell Bell::make() {
  Fd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) throw_no_descriptor("eventfd");
  return Bell(std::move(fd));
}

void Bell::ring() const noexcept {
  const std::uint64_t one = 1;
  // A counter that is full refuses (EAGAIN): then it is rung already.
  [[maybe_unused]] const auto written = write(fd_.get(), &one, sizeof one);
}

void Bell::drain() const noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(fd_.get(), &count, sizeof count);
}

}  // namespace headrace::ipc
