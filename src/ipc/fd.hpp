// A file descriptor that is closed exactly once. Move-only; not shared between threads.
#pragma once

#include <utility>

namespace headrace::ipc {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { close(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  /// Gives the descriptor away without closing it.
  int release() noexcept { return std::exchange(fd_, -1); }
  void close() noexcept;
  /// A second descriptor of the same file (close-on-exec). Error where there is none left.
  Fd duplicate() const;

 private:
  int fd_ = -1;
};

}  // namespace headrace::ipc
