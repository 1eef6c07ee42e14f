// A connection on which nobody ever waits for the other end: what it does not take at once is kept in a queue, and sent
// when it can be. For threads that talk to many, of which none may hold up the others.
//
//   say --(taken at once)--> sent         poller: writable --> flush
//      \--(the peer does not read)--> kept --(room again)--> sent
//
//   1. Messages arrive in the order in which they were said.
//   2. Polite (the default): while something is kept, nothing more is read. A peer that asks and does not take its
//      answers fills its own buffer in the end, and waits for itself. Peers that trust each other read always: two that
//      wait with reading for each other would wait for ever.
//   3. The queue has a limit. Who exceeds it is to be let go.
//   4. Each message read may cost something; what a peer may spend between two renew() is limited, too.
//
// One thread: that of the poller. The callback may destroy the courier.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "ipc/poller.hpp"
#include "ipc/socket.hpp"

namespace headrace::ipc {

class Courier {
 public:
  struct Manner {
    bool polite = true;             ///< see 2
    std::size_t limit = 1u << 20;   ///< bytes that may be kept
    unsigned allowance = 1u << 30;  ///< that may be spent between two renew()
  };
  enum class Said { sent, kept, overfull, closed };

  /// on_ready: a message can be read, or the end of the connection.
  Courier(Poller& poller, Connection connection, Manner manner, std::function<void()> on_ready);
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;
  ~Courier();

  /// Never blocks. The descriptors are ours to close. overfull: it was not taken, the limit is reached. closed: nobody
  /// will read it; what the peer has said before can still be received. Error if the text is too long for any message.
  Said say(std::string text, std::vector<Fd> fds = {});
  /// Never blocks.
  Received receive() const { return connection_.receive(); }
  /// What is kept; 0: all is sent.
  std::size_t kept() const { return queue_.size(); }
  /// Since when nothing has been taken of what is kept.
  std::chrono::steady_clock::time_point kept_since() const { return kept_since_; }
  /// Nothing more is read until resume(), but that the peer is gone is still told.
  void pause();
  void resume();
  /// Takes from the allowance; once it is used up nothing is read until renew().
  void spend(unsigned cost);
  /// Now and then: the allowance is whole again, and what could not be sent for want of kernel memory is tried again.
  void renew();
  /// The peer has closed its end altogether: nothing new will come.
  bool hung_up() const { return hung_up_; }
  /// At the very end: waits until all is sent, at most so long.
  bool flush_for(std::chrono::milliseconds limit);

  const Connection& connection() const { return connection_; }
  int fd() const { return connection_.fd(); }
  /// For passing the connection on; what is kept is lost.
  Fd take();

 private:
  struct Letter {
    std::string text;
    std::vector<Fd> fds;
  };
  void ready(Events events);
  Sent send(const Letter& letter) const;
  void flush();
  void wait_for_what_matters();

  Poller& poller_;
  Connection connection_;
  const Manner manner_;
  std::function<void()> on_ready_;
  std::deque<Letter> queue_;
  std::size_t kept_bytes_ = 0;
  std::chrono::steady_clock::time_point kept_since_{};
  Interest interest_{.read = true};
  unsigned spent_ = 0;
  bool paused_ = false, hung_up_ = false, mute_ = false;
  bool starved_ = false;  // the socket is writable, but the kernel took nothing
};

}  // namespace headrace::ipc
