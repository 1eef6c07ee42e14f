// Other processes of this node: whether they live, and bells that wake them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <utility>

#include "ipc/fd.hpp"

namespace headrace::ipc {

/// A pidfd: names that very process for ever, also after its number is used again. Becomes readable when it exits.
Fd open_pidfd(pid_t pid);
/// The process of a pidfd, as this pid namespace numbers it: nothing once it is gone, 0 if it is not visible from here.
/// Error if the descriptor (a peer's gift) is no pidfd.
std::optional<pid_t> pid_of_pidfd(const Fd& pidfd);
/// Whether the process of a pidfd has not exited yet.
bool alive(const Fd& pidfd);

/// An eventfd: any process that has it may ring, one drains. Neither ever blocks.
class Bell {
 public:
  Bell() = default;
  static Bell make();
  explicit Bell(Fd eventfd) : fd_(std::move(eventfd)) {}

  void ring() const noexcept;
  void drain() const noexcept;
  /// Readable once rung.
  int fd() const { return fd_.get(); }
  Bell duplicate() const { return Bell(fd_.duplicate()); }
  explicit operator bool() const { return static_cast<bool>(fd_); }
  /// For passing it on to another process.
  Fd take() { return std::move(fd_); }

 private:
  Fd fd_;
};

}  // namespace headrace::ipc
