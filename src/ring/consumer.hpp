// The trainer's side of one ring.
//
//   1. One thread at a time in try_acquire() and wait(); release(), seek(), held() and wake() from any thread.
//   2. A lease is exclusive: from try_acquire() to release() nobody else reads or writes the slot.
//   3. What an entry says is checked before it is used: a trainer that overwrites its ring gets an Error, no crash.
//   4. One of several replicas has a lane of its own, and the ring to read only. Replica 0 leads: the others, followers,
//      get what it gets. They do not seek, but take() nothing that its seeks have cut off, and follow() them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/mutex.hpp"
#include "base/schema.hpp"
#include "ipc/fd.hpp"
#include "ipc/futex.hpp"
#include "ipc/memory.hpp"
#include "ipc/process.hpp"
#include "ring/layout.hpp"
#include "ring/slot_layout.hpp"

namespace headrace::ring {

/// What the service said about the ring; its header must agree.
struct Geometry {
  std::uint64_t bytes = 0;
  std::uint32_t slots = 0, batch = 0;
  std::uint32_t generation = 0;
};

/// Of one of several replicas: the memfd of its lane.
struct Share {
  ipc::Fd lane;
  std::uint32_t replica = 0;
};

struct Lease {
  std::uint32_t slot = 0;
  std::uint32_t rows = 0, filled = 0;
  std::uint64_t epoch = 0, step = 0;
};

enum class Acquired {
  batch,
  nothing,    ///< not yet: wait()
  exhausted,  ///< every slot is held by the caller: waiting would be for ever
  end,        ///< the stream has ended
};
enum class Waited { maybe, timeout, interrupted };

class Consumer {
 public:
  /// Maps the ring (not inherited by forked children). bell: rung where the stager asks for it.
  /// Error "corrupted ring header" if memory and header are not as the geometry and the schema demand.
  Consumer(const ipc::Fd& memfd, ipc::Bell bell, const Schema& schema, const Geometry& geometry,
           const std::optional<Share>& share = {});
  /// The same over memory that is mapped already, and now belongs to the consumer.
  Consumer(ipc::Mapping memory, ipc::Bell bell, const Schema& schema, const Geometry& geometry,
           const std::optional<Share>& share = {});

  /// The next batch of the current generation; those of older ones go back as discarded.
  Acquired try_acquire(Lease& lease);
  /// Sleeps until there may be something, at most `slice`. Counts as waiting in the statistics that the stager sees.
  Waited wait(std::chrono::nanoseconds slice);
  /// Ends a wait() of another thread; later ones do not sleep any more either.
  void wake();
  /// False if the slot is not held.
  bool release(std::uint32_t slot, bool consumed);
  /// The batch taken last comes again, with the next try_acquire(). False if it is another, or none.
  bool put_back(std::uint32_t slot);
  /// From now on only entries of the next generation count. Returns it, and after how many entries; tell the service.
  struct Sought {
    std::uint32_t generation = 0, taken = 0;
  };
  Sought seek();
  /// Replicas: whether the stager has heard of the seek of replica 0 to that generation.
  bool led(std::uint32_t generation) const;
  /// A follower: goes on with the next seek of replica 0, if there was one more than it has followed.
  bool follow();
  /// Sleeps until replica 0 seeks or is gone, at most `slice`.
  Waited wait_for_leader(std::chrono::nanoseconds slice);
  bool leader_gone() const;
  std::uint32_t replicas_that_came() const;
  /// Whether a lease is held, and which ones, in the order of acquisition.
  bool holds(std::uint32_t slot) const;
  std::vector<Lease> held() const;

  std::byte* field(std::uint32_t slot, std::size_t field) const {
    return slot_data(slot) + layout_.field_offset(field);
  }
  std::int64_t* index(std::uint32_t slot) const {
    return reinterpret_cast<std::int64_t*>(slot_data(slot) + layout_.index_offset());
  }
  const SlotLayout& layout() const { return layout_; }
  std::uint32_t slots() const { return slots_; }
  std::byte* data() const { return memory_.data(); }
  std::uint64_t bytes() const { return memory_.size(); }
  /// The slots held stay readable at their addresses until the process ends, with what they hold now: as private
  /// copies, because the stager gives the memory to the next trainer. No other call may follow. consumed: they go back
  /// to the stager, as used; else it finds that we had them.
  void keep_held(bool consumed = false);
  /// Unmaps the ring. No other call may follow.
  void let_go() noexcept {
    memory_.unmap();
    lane_.unmap();
  }
  /// In a forked child: forgets the mapping (which the child does not have) and closes the bell.
  void forget_in_child() noexcept;

 private:
  struct Slot {
    bool held = false;
    std::uint64_t order = 0;
    std::uint32_t at = 0;  // in the ready queue
    Lease lease;
  };
  std::byte* slot_data(std::uint32_t slot) const { return view_.slots() + slot * layout_.bytes(); }
  void check_header(const Geometry& geometry) const;
  Ready take_entry(std::uint32_t available) REQUIRES(mutex_);
  bool at_end() REQUIRES(mutex_);
  /// Whether the mark says that nothing follows what was taken.
  bool ends_here(std::uint64_t end) const REQUIRES(mutex_);
  /// Whether an entry of that generation, the k-th, was cut off by a seek of replica 0.
  bool cut_off(std::uint32_t generation, std::uint32_t k) const;
  void give_back(std::uint32_t slot, FreedUse use) REQUIRES(mutex_);
  /// Rings if the stager waits for more to come back than there is: nothing more will while we find nothing.
  void ring_if_wanted();
  ipc::FutexResult sleep(std::chrono::nanoseconds slice);

  SlotLayout layout_;
  std::uint32_t slots_;
  ipc::Mapping memory_, lane_;  // a lane of its own where it is one of several
  View view_;
  const bool follows_;
  ipc::Bell bell_;
  std::atomic<bool> awake_{false};  // wake() was called
  mutable Mutex mutex_;             // also: who writes into the freed queue
  std::vector<Slot> states_ GUARDED_BY(mutex_);
  std::uint32_t held_ GUARDED_BY(mutex_) = 0;
  std::uint64_t acquired_ GUARDED_BY(mutex_) = 0;
  std::uint32_t generation_ GUARDED_BY(mutex_);
  std::uint32_t ready_head_ GUARDED_BY(mutex_) = 0, freed_tail_ GUARDED_BY(mutex_) = 0;
};

}  // namespace headrace::ring
