// Waiting for many descriptors at once (epoll). One thread; others wake it with a Bell that is added here.
//
//   1. Remove a descriptor before closing it.
//   2. A callback may add and remove any descriptor, its own too; what is removed is not called any more, not even for
//      an event that came in the same wait.
//   3. Level-triggered, but for add_edge(): a callback that does not take what made its descriptor ready is called
//   again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "ipc/fd.hpp"

namespace headrace::ipc {

/// What a descriptor is ready for.
struct Events {
  bool readable = false, writable = false;
  bool hung_up = false;  ///< the other end is gone, or failed: told whatever is waited for
};
/// What is waited for.
struct Interest {
  bool read = false, write = false;
  bool operator==(const Interest&) const = default;
};

class Poller {
 public:
  using Callback = std::function<void()>;
  using EventsCallback = std::function<void(Events)>;
  Poller();

  /// Calls back when fd is readable, hung up or failed. fd must not be there yet.
  void add(int fd, Callback callback);
  /// The same for what is waited for, which may be nothing but the other end's hanging up.
  void add(int fd, Interest interest, EventsCallback callback);
  /// Calls back once for each time that something arrives, whether or not anybody takes it.
  void add_edge(int fd, Callback callback);
  /// Of a descriptor that is there.
  void set(int fd, Interest interest);
  /// Whether it was there.
  bool remove(int fd);
  /// Waits at most `timeout` (negative: no limit) and calls back. Returns how many callbacks ran; 0 also after a
  /// signal.
  std::size_t wait(std::chrono::milliseconds timeout);
  std::size_t size() const { return tokens_.size(); }
  /// Readable when one of its descriptors is: for whoever waits for more than this.
  int fd() const { return epoll_.get(); }

 private:
  void enter(int fd, std::uint32_t events, EventsCallback callback);

  Fd epoll_;
  std::uint64_t next_token_ = 0;
  std::map<int, std::uint64_t> tokens_;
  std::unordered_map<std::uint64_t, std::shared_ptr<EventsCallback>> callbacks_;
};

}  // namespace headrace::ipc
