// A TCP connection to another node on which nothing is sent but last words: the kernels at its ends ask each other now and
// then whether they are there. It fails when the other node is gone (power cut, cable), without a word from it and without
// waking any process in between; and not because a process there is slow, stopped or swapped out.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "ipc/fd.hpp"

namespace headrace::ipc {

class Lifeline {
 public:
  explicit Lifeline(Fd socket) : socket_(std::move(socket)) {}

  /// From now on the other node is gone after being silent for about this long (at least 4 s).
  void watch(std::chrono::seconds silence) const;
  /// Becomes readable when there is something to learn: see fate().
  int fd() const { return socket_.get(); }
  /// Goodbye, alarm: the next of the words said there. Closed: the other process let go, which says nothing of its node.
  /// Reset: its node answers, but no longer knows the connection; the process is gone, and nobody could say so when it
  /// went. Lost: the node does not answer.
  enum class Fate { fine, goodbye, alarm, closed, reset, lost };
  Fate fate() const;
  /// A few in its whole life: there is always room for them. Nothing happens where the other end is gone.
  enum class Word : char { goodbye = 'g', alarm = 'a' };
  void say(Word word) const noexcept;

 private:
  Fd socket_;
};

/// Where others tie lifelines to this node. Only who knows its address and secret may.
class Mooring {
 public:
  Mooring();
  /// One line of text for those who tie: secret, port and all addresses of this node.
  const std::string& address() const { return address_; }
  /// Nothing if nobody came within the limit.
  std::optional<Lifeline> accept(std::chrono::milliseconds limit) const;

 private:
  Fd socket_;
  std::string secret_, address_;
};

/// Tries the addresses one after the other. Nothing if none leads there within the limit.
std::optional<Lifeline> tie(const std::string& address, std::chrono::milliseconds limit);

}  // namespace headrace::ipc
