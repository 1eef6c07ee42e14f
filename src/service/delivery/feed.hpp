// Keeps the ring of one trainer full: which step goes into which slot, in what order they are handed over, what came
// back. One per trainer and stream, on the stager that serves it.
//
//   free slot --next()--> filling --(all rows there)--> filled --(its turn)--> handed over --released--> free
//
//   1. Batches are handed over in the order of their steps, though several are filled at once.
//   2. After a seek only batches of the new generation are handed over; older ones under way go back unseen.
//   3. A batch counts as consumed when the trainer releases it, with the sample numbers that stood in it before the
//      trainer could touch them.
//
// pump() from any worker; the rest from the host's thread. Callbacks come from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "ring/producer.hpp"
#include "service/books/ledger.hpp"
#include "service/delivery/supply.hpp"

namespace headrace::service::delivery {

/// One epoch of one trainer, as it is reported.
struct EpochReport {
  books::Tally tally;
  double seconds = 0;       ///< from the first batch handed over to the last released
  double trainer_wait = 0;  ///< seconds of it in which the trainer waited for batches
  double stager_wait = 0;   ///< seconds of it in which every slot was the trainer's
};

class Feed : public std::enable_shared_from_this<Feed> {
 public:
  struct Events {
    std::function<void(const EpochReport&)> epoch_done;
    std::function<void(const std::string& what)> violation;  ///< the trainer wrote nonsense into the ring
  };
  struct Place {
    std::uint32_t stream = 0, rank = 0;
    std::string stream_name;
    std::uint64_t seed = 0;
    bool full_audit = false;
    plan::RowOrder order = plan::RowOrder::sorted;
  };

  /// The ring is configured for the schedule's batch, with generation 1.
  Feed(const Supply& supply, Workers& workers, ring::Producer& ring, Place place, plan::Schedule schedule,
       books::Ledger ledger, Events events);

  /// Takes back what was released and fills what is free.
  void pump();
  /// Whether the trainer returned something that nobody has taken back yet. Any thread.
  bool has_returns() const;
  /// The trainer wants another position from now on. Returns the epochs that are left unfinished.
  std::vector<books::Tally> seek(std::uint32_t generation, books::Step to);
  /// No more fills. on_idle comes once nothing of this feed is under way and the ring may be used anew.
  void close(std::function<void()> on_idle);

  /// As things stand; after close() for good.
  books::Ledger ledger() const;
  books::Step position() const;
  double stager_wait() const;
  /// Seconds since the trainer last took or gave back anything, while it could have.
  double idle_seconds() const;
  ring::TrainerStats ring_stats() const;

 private:
  struct Slot {
    books::Step step;
    std::uint32_t generation = 0;
    std::uint32_t rows = 0, filled = 0;
    std::uint64_t hash = 0, wrong = 0;
    bool done = false;
    plan::Share share;
    std::shared_ptr<const plan::Permutation> permutation;
    std::optional<std::uint64_t> row_order;
  };

  // With mutex_ held:
  void collect();
  std::vector<std::uint32_t> assign();
  bool assign_one(std::vector<std::uint32_t>& assigned);
  void hand_over();
  void wait_for_bell();

  void fill(std::vector<std::uint32_t> assigned);
  std::vector<std::uint32_t> filled(std::uint32_t slot);
  void spread(std::vector<std::uint32_t> assigned);
  void settle(Slot& slot, std::uint32_t number) const;
  std::uint64_t count_wrong(const Slot& slot, const std::int64_t* index) const;
  std::shared_ptr<const plan::Permutation> permutation(std::uint64_t epoch);
  Target target(std::uint32_t slot) const;
  EpochReport report(const books::Tally& tally);

  const Supply& supply_;
  Workers& workers_;
  ring::Producer& ring_;
  const std::uint32_t bell_after_;  // slots that come back before the trainer rings
  const Place place_;
  const plan::Schedule schedule_;
  const Events events_;

  mutable std::mutex mutex_;
  books::Ledger ledger_;
  std::vector<Slot> slots_;
  std::deque<std::uint32_t> queue_;  // slots being filled or waiting for their turn, in order of steps
  std::size_t under_way_ = 0;
  std::uint32_t generation_ = 1;
  bool end_handed_over_ = false;
  std::function<void()> on_idle_;  // set by close()
  bool closed_ = false;
  std::shared_ptr<const plan::Permutation> permutation_;
  std::uint64_t permutation_epoch_ = 0;

  Clock::time_point epoch_begin_ = Clock::now(), full_since_ = Clock::now(), last_sign_ = Clock::now();
  bool full_ = false;
  double full_seconds_ = 0;
  double reported_trainer_wait_ = 0, reported_stager_wait_ = 0;
};

}  // namespace headrace::service::delivery
