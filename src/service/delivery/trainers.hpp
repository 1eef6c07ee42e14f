// The trainers that this stager serves: their connections, their feeds, their end. Host's thread only.
//
// A trainer leaves with a goodbye, or it is gone when its socket closes or its process ends: the socket alone may be
// held open by a forked child, and the pidfd alone would miss a trainer that closed its stream and lives on. What it had
// said before it was gone still counts.
//
//   welcome --> served --(goodbye | gone | thrown out)--> leaving: its feed closes --> gone: its ring may settle
//
// Where replicas share a place they are one trainer of several members: each comes and goes by itself, the first batch
// is given when all have come, and the trainer leaves with the last of them.
//
// Between "leaving" and "gone" workers may still write into its ring: only then is its ledger what it consumed, which
// goes to stager 0 for whoever takes the rank next.
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
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "ipc/courier.hpp"
#include "ipc/poller.hpp"
#include "ipc/process.hpp"
#include "ipc/socket.hpp"
#include "ring/messages.hpp"
#include "service/blueprint/fingerprint.hpp"
#include "service/books/messages.hpp"
#include "service/delivery/ring_watch.hpp"
#include "service/delivery/rings.hpp"
#include "service/delivery/served_trainer.hpp"

namespace headrace::service::delivery {

class Trainers {
 public:
  struct Actions {
    std::function<void(books::ToHead)> to_head;
    std::function<void(books::ToLeader)> to_leader;
    std::function<void(std::function<void()> job)> post;  ///< any thread: runs it in the host's thread
  };

  Trainers(const config::Config& config, const job::Topology& topology, ipc::Poller& poller, const Supply& supply,
           Workers& workers, const Rings& rings, Actions actions);
  ~Trainers();

  /// A trainer that the front desk hands over: socket and pidfd. Without them, which were lost where no descriptor was
  /// left, its place is free again.
  void welcome(const books::HandOver& trainer, std::vector<ipc::Fd> fds);
  /// The coordinator's answer to a trainer that goes on from a saved state.
  void hear(const books::AgreeAnswer& message);
  /// One trainer of a stream went on from a saved state: the others must follow.
  void hear(const books::StateTaken& message);
  /// The leader wants a ring for a vacant place. RingMade follows.
  void hear(const books::MakeRing& order) { ring_watch_.make(order); }
  /// Reports trainers that everybody waits for; keeps the pace of all.
  void tick(Clock::time_point now);
  /// Tells every trainer that the service is gone.
  void farewell(const std::string& why);
  /// Ends all feeds; `drained` comes when nothing of them is under way.
  void close(const std::string& why, std::function<void()> drained);
  /// Where each trainer is and how fast it goes.
  std::vector<books::TrainerFigures> figures() const;
  /// Rings that processes still have which were thrown out.
  std::vector<books::FormerRing> retired() const { return ring_watch_.retired(); }

 private:
  void look_at_all();
  std::optional<std::uint64_t> of_place(const books::HandOver& handed) const;
  void lose(const books::HandOver& handed);
  void found(const books::HandOver& handed);
  void enter(std::uint64_t trainer, const books::HandOver& handed, std::vector<ipc::Fd> fds);
  /// By number of a member, from here ...
  void rung(std::uint64_t id);
  void read(std::uint64_t id);
  /// Its process. What it had said is heard first.
  void ended(std::uint64_t id);
  void hear(std::uint64_t id, const ring::FromClient& said);
  void say(std::uint64_t id, std::string text, std::vector<ipc::Fd> fds = {});
  void agree(Member& member, const ring::Agree& wanted);
  void seek(ServedTrainer& trainer, const ring::Seek& wanted);
  void tell_files(std::uint64_t id);
  void throw_out(std::uint64_t id, const std::string& why, ring::Refusal kind = ring::Refusal::failed);
  void leave(std::uint64_t id, bool goodbye, const std::string& why);
  /// ... to here.
  std::vector<std::uint64_t> members_of(std::uint64_t trainer, std::optional<std::uint32_t> replica = {}) const;
  void look_for_strays();
  void gone(std::uint64_t id, bool goodbye);
  void look_for_missing(std::uint64_t id, ServedTrainer& trainer, Clock::time_point now);
  void look_for_stall(ServedTrainer& trainer);
  void report(const ServedTrainer& trainer, const EpochReport& report, bool abandoned);
  void report_abandoned(const ServedTrainer& trainer, const std::vector<books::Tally>& tallies);
  std::shared_ptr<Feed> feed_for(std::uint64_t id, const ServedTrainer& trainer, books::Ledger ledger);
  const std::string& stream_name(const ServedTrainer& trainer) const;

  const config::Config& config_;
  const job::Topology& topology_;
  ipc::Poller& poller_;
  const Supply& supply_;
  Workers& workers_;
  const Rings& rings_;
  Actions actions_;
  RingWatch ring_watch_;
  std::vector<blueprint::Fingerprint> fingerprints_;  // per stream
  Clock::time_point next_look_{};
  ipc::Fd files_;  // the table of files, once a trainer has asked for it
  std::map<std::uint64_t, ServedTrainer> trainers_;
  std::map<std::uint64_t, Member> members_;
  std::uint64_t next_id_ = 1;
  std::function<void()> drained_;
};

}  // namespace headrace::service::delivery
