// The ring as both sides map it: one sealed memfd. This file is the only description of its bytes. See PROTOCOL.md.
//
//   0 ......... Header      who wrote it, geometry        stager writes at hand-over, trainer reads once
//   128 ....... field offsets, one u64 each
//   control ... Control     cursors, flags, counters      two flags are written by both sides, the rest by one
//   ready ..... queue_capacity x Ready entries            stager -> trainer
//   freed ..... queue_capacity x Freed entries            trainer -> stager
//   slots ..... slot 0 | slot 1 | ...                     see slot_layout.hpp
//   bytes
//
// Both queues have one writer and one reader. Cursors count entries from 0 and wrap around at 2^32; entry k stands at
// k % queue_capacity. A slot is in one queue at most, and there are at most queue_capacity slots: no queue overflows.
//
// Where replicas share a ring (PROTOCOL.md, "Replicas"), each has a lane, a memfd of its own that begins with Control:
// control, ready and freed as above. The ring itself is sealed against writers, and has in their places
//
//   control ... Lead        what replica 0 did
//   freed ..... queue_capacity x u64, (generation << 32) | where in the ready queue that generation's seek cut
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ring/slot_layout.hpp"

namespace headrace::ring {

/// Grows with any change of the shared memory or of the messages: one number for both, because they go together. It
/// stands in the ring's header and in hello and welcome, and sides that differ refuse each other before either is used.
constexpr std::uint32_t protocol_version = 2;
constexpr std::uint64_t ring_magic = 0x6563617264616568;  // "headrace"
constexpr std::uint32_t queue_capacity = 1024;            // power of two; so many slots at most
constexpr std::uint32_t most_replicas = 64;               // that share a ring

struct Header {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t header_bytes;  // of this struct, another guard against other builds
  std::uint64_t bytes;         // of the memfd
  std::uint32_t slots;
  std::uint32_t batch;  // rows of a slot
  std::uint64_t slot_bytes;
  std::uint32_t fields;
  std::uint32_t generation;  // of the first entry
  std::uint64_t index_offset;
  std::uint64_t control_offset, ready_offset, freed_offset, slots_offset;
};
constexpr std::uint64_t field_offsets_at = 128;
static_assert(sizeof(Header) <= field_offsets_at);
static_assert(offsetof(Header, bytes) == 16 && offsetof(Header, slot_bytes) == 32 &&
              offsetof(Header, index_offset) == 48);
static_assert(offsetof(Header, slots_offset) == 80 && sizeof(Header) == 88);

/// A batch that is ready. The stager writes it before it moves `ready_tail`.
struct Ready {
  std::uint32_t slot;
  std::uint32_t generation;  // of the seek that it answers
  std::uint64_t epoch, step;
  std::uint32_t rows;    // that are real
  std::uint32_t filled;  // that hold data; rows <= filled <= batch
  std::uint64_t reserved[4];
};
static_assert(sizeof(Ready) == 64 && offsetof(Ready, rows) == 24);  // a cache line each

/// A slot that comes back. Atomics, because the stager reads while a hostile trainer may still write.
struct Freed {
  std::atomic<std::uint32_t> slot;
  std::atomic<std::uint32_t> use;  // FreedUse
};
static_assert(sizeof(Freed) == 8 && offsetof(Freed, use) == 4);
enum class FreedUse : std::uint32_t { consumed = 1, discarded = 2 };

/// Two cache lines: neighbouring lines are fetched in pairs.
constexpr std::size_t line_pair = 128;

struct Control {
  // The stager writes.
  alignas(line_pair) std::atomic<std::uint32_t> ready_tail;
  /// (generation << 32) | ready_tail at which that generation ends; generations start at 1, so 0 is "no end".
  std::atomic<std::uint64_t> end;

  // Flags that one side sets and the other takes back.
  /// Set by the stager that wants to be rung; taken back by the trainer that rings, and by a stager that needs it no
  /// more. It is rung once freed_tail has come to bell_at, or when the trainer finds nothing more to take.
  alignas(line_pair) std::atomic<std::uint32_t> stager_wants_bell;
  std::atomic<std::uint32_t> bell_at;  // the stager alone writes it
  /// Set by a trainer that is about to sleep on it; taken back by the stager that wakes it, and by a trainer that is
  /// awake again. The futex word.
  alignas(line_pair) std::atomic<std::uint32_t> trainer_waiting;

  // The trainer writes.
  alignas(line_pair) std::atomic<std::uint32_t> freed_tail;
  alignas(line_pair) std::atomic<std::uint32_t> ready_head;  // statistics only
  std::atomic<std::uint64_t> wait_ns;                        // statistics only
  std::atomic<std::uint64_t> acquired;                       // statistics only
};
static_assert(offsetof(Control, ready_tail) == 0 && offsetof(Control, end) == 8);
static_assert(offsetof(Control, stager_wants_bell) == 128 && offsetof(Control, bell_at) == 132 &&
              offsetof(Control, trainer_waiting) == 256);
static_assert(offsetof(Control, freed_tail) == 384 && offsetof(Control, ready_head) == 512 && sizeof(Control) == 640);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(sizeof(std::atomic<std::uint32_t>) == 4 && sizeof(std::atomic<std::uint64_t>) == 8);

/// What followers must know of replica 0. The stager writes it, when it hears of a seek (LEAD).
struct Lead {
  std::atomic<std::uint32_t> generation;  // of the last seek, its cuts being written; a futex word
  std::atomic<std::uint32_t> came;        // replicas that have connected
  std::atomic<std::uint32_t> gone;        // 1: replica 0 is gone
};
static_assert(sizeof(Lead) == 12);

constexpr std::uint64_t end_mark(std::uint32_t generation, std::uint32_t tail) {
  return std::uint64_t{generation} << 32 | tail;
}

/// Where the parts of a ring stand; the number of fields decides.
struct Offsets {
  explicit constexpr Offsets(std::size_t fields)
      : control((field_offsets_at + fields * sizeof(std::uint64_t) + page_bytes - 1) / page_bytes * page_bytes),
        ready(control + page_bytes),
        freed(ready + queue_capacity * sizeof(Ready)),
        slots(freed + queue_capacity * sizeof(Freed)) {}
  std::uint64_t control, ready, freed, slots;
};
static_assert(Offsets(1).control == page_bytes && Offsets(1).slots % page_bytes == 0);
constexpr std::uint64_t lane_bytes = Offsets(1).slots - Offsets(1).control;
static_assert(sizeof(std::atomic<std::uint64_t>) * queue_capacity == sizeof(Freed) * queue_capacity);

/// A ring mapped at `base`, and the lane of one trainer: the shared objects at their places. Private to this room.
class View {
 public:
  View() = default;
  View(std::byte* base, std::size_t fields) : View(base, fields, base + Offsets(fields).control) {}
  View(std::byte* base, std::size_t fields, std::byte* lane) : base_(base), lane_(lane), at_(fields) {}

  Header& header() const { return *reinterpret_cast<Header*>(base_); }
  std::uint64_t* field_offsets() const { return reinterpret_cast<std::uint64_t*>(base_ + field_offsets_at); }
  Control& control() const { return *reinterpret_cast<Control*>(lane_); }
  Ready& ready(std::uint32_t k) const {
    return reinterpret_cast<Ready*>(lane_ + (at_.ready - at_.control))[k % queue_capacity];
  }
  Freed& freed(std::uint32_t k) const {
    return reinterpret_cast<Freed*>(lane_ + (at_.freed - at_.control))[k % queue_capacity];
  }
  Lead& lead() const { return *reinterpret_cast<Lead*>(base_ + at_.control); }
  std::atomic<std::uint64_t>& cut(std::uint32_t generation) const {
    return reinterpret_cast<std::atomic<std::uint64_t>*>(base_ + at_.freed)[generation % queue_capacity];
  }
  std::byte* slots() const { return base_ + at_.slots; }
  const Offsets& at() const { return at_; }

 private:
  std::byte* base_ = nullptr;
  std::byte* lane_ = nullptr;
  Offsets at_{0};
};

}  // namespace headrace::ring
