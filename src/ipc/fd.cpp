#include "ipc/fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "ipc/no_descriptor.hpp"

namespace headrace::ipc {

void Fd::close() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Fd Fd::duplicate() const {
  Fd copy(fcntl(fd_, F_DUPFD_CLOEXEC, 0));
  if (!copy) throw_no_descriptor("duplicating a file descriptor");
  return copy;
}

}  // namespace headrace::ipc
