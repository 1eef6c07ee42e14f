// The stager's side of one ring. A ring serves one trainer at a time, and may outlive it: configure() hands the same
// memory to the next one, divided for its batch size. Only if nobody can write into it any more: held_by_others().
//
//   free --take_free--> filling --publish--> with the trainer --collect--> free
//            ^------------ give_back ----------'                 '-- reclaim_all (trainer gone) --> free
//
//   1. One thread at a time calls (the caller serialises), but for field(), index() and layout(), which any thread may
//      call for a slot that is filling.
//   2. Nothing that the trainer can write is used as index, size or offset: what the producer needs it keeps in private
//      memory, and each entry that comes back is checked. What cannot be is a ProtocolViolation: treat the trainer as
//      dead then.
//   3. Batches reach the trainer in the order of publish().
//   4. Where replicas share the ring, "the trainer" below is all of them: each gets every batch, and a slot is back when
//      the last has let go of it, consumed if one of them used it. They can write into their lanes alone. configure(),
//      then join() for each, before the first publish().
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "ipc/fd.hpp"
#include "ipc/memory.hpp"
#include "ipc/reserve.hpp"
#include "ring/lane.hpp"
#include "ring/layout.hpp"
#include "ring/slot_layout.hpp"

namespace headrace::ring {

/// A slot that came back. Its memory is untouched until take_free() yields the slot again.
struct Returned {
  std::uint32_t slot = 0;
  bool consumed = false;  ///< else discarded: not used, does not count
  Batch batch;            ///< as published, from private memory
};

class Producer {
 public:
  /// Bytes of a ring with that many slots for batches of `batch` rows.
  static std::uint64_t ring_bytes(const Schema& schema, std::uint32_t batch, std::uint32_t slots);

  /// Makes the memory: reserved, faulted in by that many threads (so run it where the memory shall live), sealed.
  /// Error if there is too little; and what `tell` throws. configure() comes next. replicas: how many share it, at most
  /// most_replicas.
  Producer(const std::string& name, Schema schema, std::uint64_t bytes, unsigned threads, std::uint32_t replicas = 1,
           const ipc::BeforeTaking& tell = {});

  /// Divides the memory for batches of `batch` rows, writes the header and empties the queues, for a new trainer whose
  /// first entries have `generation` (>= 1). All slots must be free. Error, naming both sizes, if not one slot fits.
  /// Returns the number of slots, which is at most `most`.
  std::uint32_t configure(std::uint32_t batch, std::uint32_t generation, std::uint32_t most = queue_capacity);

  std::optional<std::uint32_t> take_free();
  /// A slot that is filling becomes free: what was to be in it is not wanted any more.
  void give_back(std::uint32_t slot);
  std::byte* field(std::uint32_t slot, std::size_t field) const {
    return slot_data(slot) + layout_->field_offset(field);
  }
  std::int64_t* index(std::uint32_t slot) const {
    return reinterpret_cast<std::int64_t*>(slot_data(slot) + layout_->index_offset());
  }

  /// Hands a filled slot to the trainer, and wakes it if it sleeps.
  void publish(std::uint32_t slot, const Batch& batch);
  /// The generation ends after what is published: for streams with nothing left, where no batch could be `last`.
  void publish_end(std::uint32_t generation);

  /// Replicas: makes the lane of one, and returns its memory.
  ipc::Fd join(std::uint32_t replica);
  /// That replica is gone, and its share of what it had lapses: what nobody else has comes with the next collect().
  void drop(std::uint32_t replica);
  /// Replica 0 sought, after it had taken so many entries: the others take no more of what was published before.
  void lead(std::uint32_t generation, std::uint32_t taken);
  std::uint32_t replicas() const { return replicas_; }
  bool shared() const { return replicas_ > 1; }

  /// Takes what came back, appended to `returned`. Returns how many. What is appended counts, also before a
  /// ProtocolViolation.
  std::size_t collect(std::vector<Returned>& returned);
  /// Asks the trainer to ring once `after` slots more have come back, or when it has nothing left to take. True: sleep
  /// now, it will ring. False: that is so already (and it may or may not ring): collect() instead. The pattern:
  /// collect, publish what can be published, arm, and sleep only if arm said true.
  bool arm_bell(std::uint32_t after = 1);
  /// Whether that is still so: a trainer that rings takes it back, also where it rings because it found nothing.
  bool bell_is_armed() const;
  /// Whether something came back since the last collect().
  bool has_returns() const;
  /// Not needed after a bell; saves the trainer a system call while we are awake anyway.
  void disarm_bell();

  /// The trainer is gone: everything it had becomes free. collect() first what it still gave back. Returns what it had,
  /// in no order. Slots that are filling stay so until give_back().
  std::vector<Batch> reclaim_all();

  const ipc::Fd& fd() const { return memfd_; }
  /// The memory as a trainer gets it.
  ipc::Fd for_trainer() const { return shared() ? ipc::open_for_reader(memfd_) : ipc::open_for_peer(memfd_); }
  /// Whether what for_trainer() gave can still be written to by anybody; nothing where the kernel cannot tell.
  std::optional<bool> held_by_others() const { return ipc::held_by_others(memfd_); }
  std::uint64_t bytes() const { return memory_.size(); }
  const Schema& schema() const { return schema_; }
  const SlotLayout& layout() const { return *layout_; }
  std::uint32_t slots() const { return static_cast<std::uint32_t>(states_.size()); }
  std::uint32_t free() const { return static_cast<std::uint32_t>(free_.size()); }
  std::uint32_t filling() const { return slots() - free() - with_trainer_; }
  std::uint32_t with_trainer() const { return with_trainer_; }
  /// Of the first of several.
  TrainerStats stats() const;
  /// Of one of several; zeros where it is not there.
  TrainerStats stats(std::uint32_t replica) const;

 private:
  enum class Where : std::uint8_t { free, filling, trainer };
  struct Slot {
    Where where = Where::free;
    Batch batch;
    std::uint32_t shares = 0;  // lanes that have it
    bool consumed = false;     // by one of them
  };
  /// A lane of a replica in memory of its own.
  struct Joined {
    ipc::Mapping memory;
    std::optional<Lane> lane;
  };
  std::byte* slot_data(std::uint32_t slot) const { return view_.slots() + slot * layout_->bytes(); }
  void write_header(std::uint32_t generation);
  void let_go(std::uint32_t slot, bool consumed, std::vector<Returned>& returned);
  template <class Call>
  void each_lane(Call call);

  Schema schema_;
  ipc::Fd memfd_;
  ipc::Mapping memory_;
  View view_;
  std::optional<SlotLayout> layout_;
  std::vector<Slot> states_;
  std::vector<std::uint32_t> free_;  // the last one freed is taken first: its memory is the warmest
  std::uint32_t with_trainer_ = 0;
  std::uint32_t replicas_;
  std::vector<Joined> lanes_;         // by replica; those who are not there have none
  std::vector<Returned> lapsed_;      // come with the next collect()
  std::uint32_t led_generation_ = 1;  // of the last seek of replica 0
};

}  // namespace headrace::ring
