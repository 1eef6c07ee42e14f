// Whether the other stagers live, as sockets tell: those of this node by their links, as long as nothing else reads there
// (from open() on the router does), the nodes on both sides by lifelines (job/neighbours.hpp).
//
//                              link, lifeline ends                         lifeline lost, reset
//   after a goodbye            its work is done: nothing                   the node is gone: told at once
//   after its last words       (links) they are what all of the node tell
//   without a word             it was killed, or crashed: the launcher's
//                              to judge, which ends the job in a moment;
//                              told if this one still lives after that
//
// A launcher that ends nothing (srun without --kill-on-bad-exit) would let the others wait for ever. So that they need not
// wait one after the other, a node that sees an end passes the alarm on to the next one, along the lifelines.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ipc/poller.hpp"
#include "ipc/socket.hpp"
#include "job/neighbours.hpp"
#include "service/host/seat.hpp"

namespace headrace::service::host {

/// The host's thread.
class StagerWatch {
 public:
  /// What cannot be survived, and the stager of this node that prints it. Does not return, unless the service is over.
  using Lost = std::function<void(const std::string& what, std::uint32_t teller)>;

  /// links: as NodeLinks has them. Both live longer.
  StagerWatch(const Seat& seat, ipc::Poller& poller, std::vector<ipc::Connection>& links,
              const std::vector<job::Neighbour>& neighbours, Lost lost);
  /// From now on somebody else reads there, and hears of their ends.
  std::vector<ipc::Connection> release_links();
  void tick(Clock::time_point now);
  /// Why this stager leaves, to those of its node; over links that were not released. False where there are none.
  bool last_words(const std::string& why) noexcept;
  /// This stager's work is done; all lifelines may end now, and the links that were not released. Also once that thread has
  /// ended.
  void part() noexcept;

 private:
  void look_at_link(std::size_t link);
  void look_at_lifeline(std::size_t neighbour);
  /// Somebody has ended without a word.
  void suspect(std::string what, std::uint32_t teller);

  struct Suspicion {
    std::string what;
    std::uint32_t teller = 0;
    Clock::time_point since;
  };

  const Seat& seat_;
  ipc::Poller& poller_;
  std::vector<ipc::Connection>& links_;
  const std::vector<job::Neighbour>& neighbours_;
  Lost lost_;
  std::optional<Suspicion> suspicion_;  ///< the first one
  bool parted_ = false;
};

}  // namespace headrace::service::host
