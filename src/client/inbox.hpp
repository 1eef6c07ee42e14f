// What the service says beside the ring: answers, that it ends, and by its silence that it is dead.
//
//   1. One thread at a time: whoever has the turn of its stream (Stream::turn_).
//   2. Once lost, lost for good: nothing is listened to any more.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "client/files.hpp"
#include "client/info.hpp"
#include "client/result.hpp"
#include "ipc/fd.hpp"
#include "ipc/socket.hpp"
#include "ring/messages.hpp"

namespace headrace::client {

class Inbox {
 public:
  /// All three live longer. stager: its pidfd.
  Inbox(const ipc::Connection& connection, const ipc::Fd& stager, const Info& info)
      : connection_(connection), stager_(stager), info_(info) {}

  /// Takes what has come if it is time to: not at each batch, because listening costs two system calls.
  void look();
  /// When that is.
  Clock::time_point next_look() const { return next_look_; }
  /// It is not earlier than `after` since the last look.
  void look_within(Clock::duration after) { next_look_ = std::min(next_look_, looked_ + after); }
  void look_at_once() { next_look_ = {}; }
  /// Waits for a message, and takes it. interrupted: a signal arrived.
  ipc::Receipt wait(std::chrono::milliseconds limit);

  /// Why the service is lost (HR_LOST, or HR_REFUSED: it is there, and does not want us); nothing while it is not.
  const std::optional<Result>& lost() const { return lost_; }
  void lose(Result why) {
    if (!lost_) lost_ = std::move(why);
  }

  /// The number for the next question that is answered by Agreed.
  std::uint64_t next_question();
  bool has_agreed() const { return agreed_.has_value(); }
  const std::optional<ring::Agreed>& agreed() const { return agreed_; }  ///< the answer to the last one
  bool has_files() const { return files_.has_value(); }
  const std::optional<Files>& files() const { return files_; }  ///< never changes once it is there

 private:
  void hear(const ipc::Message& message);

  const ipc::Connection& connection_;
  const ipc::Fd& stager_;
  const Info& info_;
  std::optional<Result> lost_;
  Clock::time_point looked_{}, next_look_{};
  std::uint64_t questions_ = 0;
  std::optional<ring::Agreed> agreed_;
  std::optional<Files> files_;
};

}  // namespace headrace::client
