// The trainers that this stager serves: their connections, their feeds, their end. Host's thread only.
//
// A trainer leaves with a goodbye, or it is gone when its socket closes or its process ends: the socket alone may be
// held open by a forked child, and the pidfd alone would miss a trainer that closed its stream and lives on.
//
// A trainer can hurt itself alone: its ring is lent to nobody while it may still write there (ring_keeper.hpp), its
// bell is its own and never read (each ring of it is an event, whatever it does with the count or the flags of the
// eventfd), and what it does not read waits in a queue of its own, while nothing more is read from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ipc/courier.hpp"
#include "ipc/poller.hpp"
#include "ipc/process.hpp"
#include "ipc/socket.hpp"
#include "ring/messages.hpp"
#include "service/blueprint/fingerprint.hpp"
#include "service/books/following.hpp"
#include "service/delivery/feed.hpp"
#include "service/delivery/pace.hpp"
#include "service/delivery/rings.hpp"

namespace headrace::service::delivery {

class Trainers {
 public:
  struct Actions {
    std::function<void(const nlohmann::json& message)> up;  ///< to the coordinator, by way of the leader
    std::function<void(std::function<void()> job)> post;    ///< any thread: runs it in the host's thread
  };

  Trainers(const config::Config& config, const job::Topology& topology, ipc::Poller& poller, const Supply& supply,
           Workers& workers, const Rings& rings, Actions actions);
  ~Trainers();

  /// A trainer that the front desk hands over: the grant and the hello in one message; socket and pidfd.
  void welcome(const nlohmann::json& trainer, std::vector<ipc::Fd> fds);
  /// The coordinator's answer to a trainer that goes on from a saved state.
  void agreed(const nlohmann::json& message);
  /// The leader wants a ring for a vacant place. "ring_made" follows.
  void make_ring(const nlohmann::json& order);
  /// One trainer of a stream went on from a saved state: the others must follow.
  void resumed(const nlohmann::json& message);
  /// Reports trainers that everybody waits for; keeps the pace of all.
  void tick(Clock::time_point now);
  /// Tells every trainer that the service is gone.
  void farewell(const std::string& why);
  /// Ends all feeds; `drained` comes when nothing of them is under way.
  void close(const std::string& why, std::function<void()> drained);
  /// Where each trainer is and how fast it goes, as an array.
  nlohmann::json stat() const;
  /// Rings that processes still have which were thrown out, as an array.
  nlohmann::json retired() const;

 private:
  struct Trainer {
    std::uint32_t stream = 0, rank = 0, world_size = 1, ring = 0;
    std::uint64_t generation = 0, session = 0;
    std::string who;
    std::unique_ptr<ipc::Courier> talk;  ///< null once it leaves
    ipc::Fd pidfd;
    ipc::Bell bell;
    unsigned rung = 0;  ///< since the last look
    std::shared_ptr<Feed> feed;
    std::uint64_t steps = 0, batch_bytes = 0;
    std::optional<books::Following> following;
    Pace<3> pace{};  // batches taken, seconds that the trainer waited, seconds that the stager did
    bool leaving = false, stall_told = false;
    std::string why;  ///< it leaves
  };

  void look_at_all();
  void rung(std::uint64_t id);
  void read(std::uint64_t id);
  void hear(std::uint64_t id, const ring::FromClient& said);
  void say(std::uint64_t id, std::string text, std::vector<ipc::Fd> fds = {});
  void agree(std::uint64_t id, Trainer& trainer, const ring::Agree& wanted);
  void seek(Trainer& trainer, const ring::Seek& wanted);
  void tell_files(std::uint64_t id);
  void throw_out(std::uint64_t id, const std::string& why, ring::Refusal kind = ring::Refusal::failed);
  void look_for_strays();
  void leave(std::uint64_t id, bool goodbye, const std::string& why);
  void gone(std::uint64_t id, bool goodbye);
  void look_at_rings(Clock::time_point now, bool all);
  void look_at_ring(std::uint32_t stream, std::uint32_t place, RingKeeper& keeper, Clock::time_point now);
  void report(const Trainer& trainer, const EpochReport& report, bool abandoned);
  void report_abandoned(const Trainer& trainer, const std::vector<books::Tally>& tallies);
  ring::Welcome welcome_for(const Trainer& trainer, const plan::Schedule& schedule, books::Step at) const;

  const config::Config& config_;
  const job::Topology& topology_;
  ipc::Poller& poller_;
  const Supply& supply_;
  Workers& workers_;
  const Rings& rings_;
  Actions actions_;
  std::vector<blueprint::Fingerprint> fingerprints_;  // per stream
  Clock::time_point next_look_{};
  ipc::Fd files_;  // the table of files, once a trainer has asked for it
  std::map<std::uint64_t, Trainer> trainers_;
  std::uint64_t next_id_ = 1;
  std::function<void()> drained_;
  bool closed_ = false;  ///< by close(): rings and workers may go at any time once all trainers have
};

}  // namespace headrace::service::delivery
