// The socket where trainers and tools knock. When descriptors run out it is left alone for a while: who connects waits
// in the kernel's queue, and those inside go on. Host's thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "ipc/poller.hpp"
#include "ipc/socket.hpp"

namespace headrace::service::host {

class Door {
 public:
  struct Inside {
    std::function<std::size_t()> count;                    ///< of callers
    std::function<void(Clock::time_point now)> make_room;  ///< somebody waits outside: who wants nothing may go
    std::function<void(ipc::Connection)> enter;            ///< may throw ipc::NoDescriptors
  };
  /// Error if the address is taken.
  Door(const std::string& address, ipc::Poller& poller, Inside inside);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  /// From now on no more than so many callers at once: the rest of the descriptors is for the service.
  void limit(std::uint64_t most) { most_callers_ = most; }
  /// Opens again once there is room.
  void tick(Clock::time_point now);
  /// Lets in all who have knocked, as far as there is room.
  void let_in();
  /// Nobody can connect at a path any more, also once this process has left without destructors.
  void withdraw();
  /// Nobody comes in any more, and another service may have the address.
  void close();

 private:
  bool accept();
  void pause(const std::string& why);

  ipc::Poller& poller_;
  std::optional<ipc::Listener> listener_;  // until close()
  Inside inside_;
  std::uint64_t most_callers_;
  std::optional<Clock::time_point> paused_, pause_told_;  // nobody is let in for lack of descriptors
};

}  // namespace headrace::service::host
