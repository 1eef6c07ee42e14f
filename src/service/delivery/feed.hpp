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
// How the calls go round, each on whatever worker is free; nobody waits for rows of other nodes:
//
//   bell | seek --> pump --assign--> fill -----(all rows are of this node)-----> filled --assign--> more to fill
//                                      '--(rows of others: supply calls back)--> filled --assign--> spread
//   assign   collects what came back, and takes free slots, each for the next step; what it takes must be filled
//   spread   posts each as a job of its own, so that idle workers help; fill keeps the first one for itself: a job
//            costs more than a small batch
//   filled   hands over what is complete and whose turn it is, and assigns again: with slots to fill no bell is needed
//
// The lock is held for bookkeeping only: rows are copied, hashed and audited without it. From assign() to filled() a
// batch belongs to whoever fills it.
//
// pump() from any worker; the rest from the host's thread. Callbacks come from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
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
    /// The trainer, or that one of its replicas, wrote nonsense into the ring.
    std::function<void(std::uint32_t replica, const std::string& what)> violation;
    /// Of a stream that is read window by window: the first step that is yet to be filled is of another window than at
    /// the last call, or at the beginning; nothing: there is none any more.
    std::function<void(const std::optional<plan::EpochWindow>& at)> moved{};
  };
  /// Whom it is for, and what is particular about its batches.
  struct Recipient {
    std::uint32_t stream = 0, rank = 0;
    std::string stream_name;
    std::uint64_t seed = 0;
    bool full_audit = false;
    plan::RowOrder order = plan::RowOrder::sorted;
  };

  /// The ring is configured for the schedule's batch, with generation 1.
  Feed(const Supply& supply, Workers& workers, ring::Producer& ring, Recipient recipient, plan::Schedule schedule,
       books::Ledger ledger, Events events);

  /// Takes back what was released and fills what is free.
  void pump() EXCLUDES(mutex_);
  /// Whether the trainer returned something that nobody has taken back yet. Any thread.
  bool has_returns() const EXCLUDES(mutex_);
  /// Whether to pump after a bell: there is something, or the bell that the feed relies on was used up for nothing, and
  /// what is returned later would not ring. Of bells beyond that none costs a pump.
  bool wants_pump() const EXCLUDES(mutex_);
  /// The trainer wants another position from now on, after it has taken so many batches of its ring (where there are
  /// replicas). Returns the epochs that are left unfinished.
  std::vector<books::Tally> seek(std::uint32_t generation, books::Step to, std::uint32_t taken = 0) EXCLUDES(mutex_);
  /// Replicas: the lane of one; all have come, so that the first batch may; one is gone.
  ipc::Fd join(std::uint32_t replica) EXCLUDES(mutex_);
  void begin() EXCLUDES(mutex_);
  void drop(std::uint32_t replica) EXCLUDES(mutex_);
  /// No more fills. on_idle comes once nothing of this feed is under way and the ring may be used anew.
  void close(std::function<void()> on_idle) EXCLUDES(mutex_);

  /// As things stand; after close() for good.
  books::Ledger ledger() const EXCLUDES(mutex_);
  books::Step position() const EXCLUDES(mutex_);
  double stager_wait() const EXCLUDES(mutex_);
  /// Seconds since the trainer last took or gave back anything, while it could have.
  double idle_seconds() const EXCLUDES(mutex_);
  ring::TrainerStats ring_stats() const EXCLUDES(mutex_);
  ring::TrainerStats ring_stats(std::uint32_t replica) const EXCLUDES(mutex_);

 private:
  /// Where the life of the feed is: a seek goes back from at_end to serving, and nothing from closed.
  enum class State : std::uint8_t { serving, at_end, closed };  // at_end: the trainer was told that nothing follows
  struct Batch {                                                // in the slot of its number
    books::Step step;
    std::uint32_t generation = 0;
    std::uint32_t rows = 0, filled = 0;
    std::uint64_t hash = 0, wrong = 0;
    bool done = false;
    plan::Share share;
    std::shared_ptr<const plan::EpochOrder> order;
    std::shared_ptr<const plan::Strata> strata;
    std::optional<std::uint64_t> row_order;
    std::optional<Panes::Span> windows;  // that it is of, where the stream is read window by window
  };

  void collect() REQUIRES(mutex_);
  std::vector<std::uint32_t> assign() REQUIRES(mutex_);
  std::optional<std::uint32_t> assign_one() REQUIRES(mutex_);
  void hand_over() REQUIRES(mutex_);
  void wait_for_bell() REQUIRES(mutex_);
  bool relies_on_bell() const REQUIRES(mutex_);
  bool enter_epoch(std::uint64_t epoch) REQUIRES(mutex_);
  std::optional<Panes::Span> enter_windows(books::Step step) REQUIRES(mutex_);
  bool has_arrived(books::Step step) REQUIRES(mutex_);
  std::function<void()> pump_later();
  void tell_window() REQUIRES(mutex_);
  EpochReport report(const books::Tally& tally) REQUIRES(mutex_);

  void fill(std::vector<std::uint32_t> assigned) EXCLUDES(mutex_);
  std::vector<std::uint32_t> filled(std::uint32_t slot) EXCLUDES(mutex_);
  void spread(std::span<const std::uint32_t> assigned);
  void settle(std::uint32_t slot) EXCLUDES(mutex_);
  std::uint64_t count_wrong(const Batch& batch, const std::int64_t* index) const;
  bool is_of(const Batch& batch, std::uint64_t sample, std::uint32_t holder, std::vector<bool>& seen) const;
  Target target(std::uint32_t slot) const;

  const Supply& supply_;
  Workers& workers_;
  ring::Producer& ring_;
  const std::uint32_t bell_after_;  // slots that come back before the trainer rings
  const Recipient recipient_;
  const plan::Schedule schedule_;
  const Events events_;

  mutable Mutex mutex_;
  State state_ GUARDED_BY(mutex_) = State::serving;
  bool begun_ GUARDED_BY(mutex_);  // else replicas are still to come
  books::Ledger ledger_ GUARDED_BY(mutex_);
  std::deque<std::uint32_t> queue_ GUARDED_BY(mutex_);  // slots being filled or waiting for their turn, by step
  std::size_t under_way_ GUARDED_BY(mutex_) = 0;
  std::uint32_t generation_ GUARDED_BY(mutex_) = 1;
  std::function<void()> on_idle_ GUARDED_BY(mutex_);  // set by close()
  // Of the epoch that is planned: its order (null: not shuffled) and samples (null: still to come, as after a seek).
  std::optional<std::uint64_t> epoch_ GUARDED_BY(mutex_);
  std::shared_ptr<const plan::EpochOrder> order_ GUARDED_BY(mutex_);
  std::shared_ptr<const plan::Strata> strata_ GUARDED_BY(mutex_);
  // Where the stream is read window by window: whether the next step waits for one, and what was told of the position.
  Panes* const panes_;
  // Likewise, where the rows of all streams are still being read in windows.
  Arrivals* const arrivals_;
  bool window_closed_ GUARDED_BY(mutex_) = false, told_ GUARDED_BY(mutex_) = false;
  std::optional<plan::EpochWindow> told_window_ GUARDED_BY(mutex_);
  Clock::time_point epoch_begin_ GUARDED_BY(mutex_) = Clock::now(), last_sign_ GUARDED_BY(mutex_) = Clock::now();
  std::optional<Clock::time_point> full_since_ GUARDED_BY(mutex_);  // every slot is the trainer's
  double full_seconds_ GUARDED_BY(mutex_) = 0;
  double reported_trainer_wait_ GUARDED_BY(mutex_) = 0, reported_stager_wait_ GUARDED_BY(mutex_) = 0;
  std::vector<Batch> batches_;  // by slot; of who fills it from assign() to filled(), else under mutex_
};

}  // namespace headrace::service::delivery
