// What the files of this room share about Unix sockets. Not for other rooms.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "ipc/socket.hpp"

namespace headrace::ipc::detail {

struct RawAddress {
  sockaddr_un address{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

inline RawAddress raw(const Address& address) {
  RawAddress raw;
  raw.address.sun_family = AF_UNIX;
  std::memcpy(raw.address.sun_path, address.name().data(), address.name().size());
  // An abstract name ends where the length says; a path's terminating zero is counted.
  raw.length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.name().size() + (address.is_path() ? 1 : 0));
  return raw;
}

enum class Ready { yes, no, interrupted };

/// Waits until the socket is ready for `events`, or hung up.
inline Ready wait_for(int fd, short events, std::chrono::milliseconds timeout) {
  pollfd entry{fd, events, 0};
  constexpr std::chrono::milliseconds::rep longest = 1'000'000'000;
  const int limit = timeout.count() < 0 ? -1 : static_cast<int>(std::min(timeout.count(), longest));
  const int count = poll(&entry, 1, limit);
  if (count > 0) return Ready::yes;
  return count < 0 && errno == EINTR ? Ready::interrupted : Ready::no;
}

}  // namespace headrace::ipc::detail
