// A process of our own program that does what might end the process that does it. It is started anew, not forked: MPI
// and other threads are no part of it. Both sides exchange texts over its descriptor 0, one request and one answer at a
// time; descriptor 3 is a piece of memory that both map; whatever it prints is lost.
//
//   1. A helper ends with its Helper, and with the thread that made that.
//   2. It has no descriptors and no signal settings of ours, leaves no core, and is the first that the system ends
//   where
//      memory runs out.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/fd.hpp"
#include "ipc/memory.hpp"

namespace headrace::ipc {

/// The side that starts it. One thread.
class Helper {
 public:
  /// `shared`: bytes of memory that both map. Error where the program cannot be started.
  Helper(const std::string& program, const std::vector<std::string>& arguments, std::uint64_t shared);
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;
  ~Helper();

  /// False where it has ended, or does not take it and `go_on`, asked every now and then, says no: then only end() is
  /// left.
  bool send(std::string_view text, const std::function<bool()>& go_on) const;
  /// Its answer; nothing where it has ended, or `go_on` says no.
  std::optional<std::string> receive(const std::function<bool()>& go_on) const;
  /// What it has used of the processor.
  std::chrono::nanoseconds cpu_time() const;
  /// Ends it, unless it has ended. How it ended, as waitpid() says.
  int end() noexcept;

  std::byte* shared() const { return shared_.data(); }
  pid_t pid() const { return pid_; }

 private:
  bool has_ended() const;
  bool give(std::string_view bytes, const std::function<bool()>& go_on) const;
  bool take(std::string& to, std::size_t bytes, const std::function<bool()>& go_on) const;

  Fd socket_;
  Mapping shared_;
  pid_t pid_ = -1;
};

/// The side that is started, whose last argument is the process that starts it. One thread.
class HelperSide {
 public:
  /// First of all: keeps 1 and 2. `memory`: the most that may be allocated here. Nothing: the process is to end at
  /// once, as that which started it has ended, or was no Helper.
  static std::optional<HelperSide> begin(pid_t starter, std::uint64_t shared, std::uint64_t memory);

  std::byte* shared() const { return shared_.data(); }
  /// The next request; nothing: there are no more.
  std::optional<std::string> receive() const;
  bool send(std::string_view text) const;

 private:
  explicit HelperSide(Mapping shared) : shared_(std::move(shared)) {}
  Mapping shared_;
};

}  // namespace headrace::ipc
