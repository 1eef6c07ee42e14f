#include "ipc/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

namespace headrace::ipc {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

// No FUTEX_PRIVATE_FLAG: the sleeper and the waker are different processes. With a timeout the kernel never restarts
// the call after a signal handler, whatever SA_RESTART says.
FutexResult futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::chrono::nanoseconds timeout) {
  const auto ns = std::max<std::chrono::nanoseconds::rep>(0, timeout.count());
  const timespec limit{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  if (syscall(SYS_futex, &word, FUTEX_WAIT, expected, &limit, nullptr, 0) == 0) return FutexResult::woken;
  switch (errno) {
    case ETIMEDOUT:
      return FutexResult::timeout;
    case EINTR:
      return FutexResult::interrupted;
    default:
      return FutexResult::changed;  // EAGAIN
  }
}

void futex_wake(const std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace headrace::ipc
