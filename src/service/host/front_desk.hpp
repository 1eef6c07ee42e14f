// Where trainers and tools knock, on the leader of each node: reads the hello, tells how far loading is, has the claim
// decided, finds a free ring, and hands the connection to the stager that serves it. Host's thread only.
//
//   connected -> (hello) -> waiting for loading -> [preparing: a ring is made] -> claimed -> handed over
//                    \            ^                                                 |
//                     \           '--(another trainer has its rank or place, for now: tried again)
//                      '-> refused: one sentence, and the connection is closed
//
// A caller that goes while its claim is under way stays here until the answer: rank and ring are given to it by then,
// and only the stager that serves the ring can give them back, as from a trainer that died at once.
//
// Nobody here is waited for: answers go through couriers, a tool is asked nothing more while it owes us the reading of
// an answer, and is let go after a minute. Where there is no room for more callers, those who have wanted nothing for
// some seconds go first, so that connections that say nothing keep nobody out.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ipc/courier.hpp"
#include "ipc/poller.hpp"
#include "ipc/socket.hpp"
#include "ring/messages.hpp"
#include "service/blueprint/blueprint.hpp"
#include "service/blueprint/need.hpp"
#include "service/books/messages.hpp"
#include "service/delivery/groups.hpp"
#include "service/delivery/places.hpp"
#include "service/host/door.hpp"
#include "service/host/seat.hpp"

namespace headrace::service::host {

/// The name or path under which the k-th node of this machine is found: NAME, and NAME.k where nodes are split.
std::string service_address(const config::Config& config, std::uint32_t node);

/// For the log: where trainers of each node connect, and how many.
std::string meeting_place(const config::Config& config, std::size_t nodes);

class FrontDesk {
 public:
  struct Actions {
    std::function<void(books::ClaimRank)> claim;  ///< hear(Granted) or hear(ClaimRefused) follows
    std::function<void(std::uint32_t local, books::HandOver, std::vector<ipc::Fd> fds)> hand_over;
    /// To the stager of this node that serves the place; hear(RingMade) follows.
    std::function<void(std::uint32_t local, books::MakeRing)> make_ring;
    std::function<void(std::uint64_t tool)> stat;  ///< tell() the tool how things are, now or soon
    std::function<void(const std::string& reason)> stop;
  };

  /// Error if the name is taken. word: what tells this service from others that have its name before or after it.
  FrontDesk(const config::Config& config, const Seat& seat, ipc::Poller& poller, Actions actions,
            std::string word = "");

  void loading(const std::string& what, double fraction);
  /// From now on no more than so many callers at once: the rest of the descriptors is for the service.
  void limit_callers(std::uint64_t most) { door_.limit(most); }
  /// need: of this node, as it was reserved.
  void open(const blueprint::Blueprint& blueprint, const blueprint::Need& need);
  /// Tells those who wait how far loading is. Then: tries again for those whose place somebody else has, who may just
  /// be leaving.
  void tick(Clock::time_point now);
  // The coordinator's answer to a claim.
  void hear(const books::Granted& message);
  void hear(const books::ClaimRefused& message);
  // What a stager of this node says of a ring.
  void hear(const books::RingMade& message);
  void hear(const books::RingRetired& message);
  void hear(const books::RingLeft& message);
  /// A message to a tool, the last one of an answer or not; nothing if it has gone meanwhile.
  void tell(std::uint64_t tool, const std::string& text, bool last);
  /// How far loading is.
  const ring::Loading& progress() const { return progress_; }
  /// Nobody is let in any more; who waits, for a ring too, is told why, and who comes later as well.
  void close(const std::string& why);
  /// The same when this process leaves at once: who has connected and said nothing yet is told, too, and whose claim is
  /// not answered.
  void close_at_once(const std::string& why);
  /// The service is over, and its name free: tools that asked for this hear it. Their connections end with the desk, once
  /// its memory is given back.
  void over(bool audit_failed);
  /// Whether a tool waits for that end. Any thread once the host's has ended.
  bool is_awaited() const;

 private:
  enum class State { connected, waiting, preparing, claimed, tool };
  struct Caller {
    std::unique_ptr<ipc::Courier> talk;  ///< null once it went while its claim was under way
    ipc::Fd socket;                      ///< from then on
    State state = State::connected;
    ring::Hello hello;
    ipc::Fd pidfd;
    std::string host;
    std::uint32_t stream = 0;
    std::optional<std::uint32_t> ring;               ///< taken for it, if there was one
    std::optional<Clock::time_point> patient_until;  ///< for who holds its rank or ring to leave
    bool owed = false;                               ///< a tool's question is not answered yet
    Clock::time_point came = Clock::now();
    bool asked = false;  ///< for a place, or a tool's first question
    bool stops = false;  ///< a tool that asked to end the service
    bool gone() const { return talk == nullptr; }
  };

  void enter(ipc::Connection connection);
  void drop_the_silent(Clock::time_point now);
  void read(std::uint64_t id);
  void greet(std::uint64_t id, const ipc::Message& message);
  void claim(std::uint64_t id);
  bool joins(std::uint64_t id);
  void require_windows_for(std::uint32_t stream, std::uint32_t world_size) const;
  bool waits_for_holder(Caller& caller);
  void hand_over(std::uint64_t id, books::HandOver trainer);
  void send_claim(std::uint64_t id, const std::string& no_room);
  Caller& claimed(std::uint64_t id);
  void claim_waiting();
  void look_at_tools(Clock::time_point now);
  void say(std::uint64_t id, std::string text);
  void command(std::uint64_t id, const ring::Command& said);
  std::uint32_t stream_number(const std::string& name) const;
  void refuse(std::uint64_t id, const std::string& text, ring::Refusal kind = ring::Refusal::refused);
  std::vector<std::uint64_t> in_state(State state) const;
  void drop(std::uint64_t id);

  const config::Config& config_;
  const Seat& seat_;
  ipc::Poller& poller_;
  Actions actions_;
  const std::string word_;
  const blueprint::Blueprint* blueprint_ = nullptr;
  std::map<std::uint64_t, Caller> callers_;
  std::uint64_t next_id_ = 1;
  std::optional<delivery::Places> places_;
  delivery::Groups groups_;  // of streams with replicas
  ring::Loading progress_{"starting"};
  std::string closed_;  ///< why nobody is let in any more
  Clock::time_point told_ = Clock::now(), tried_ = told_, renewed_ = told_;
  bool ring_freed_ = false;  // since then
  Door door_;                // last: callers that come in need the rest
};

}  // namespace headrace::service::host
