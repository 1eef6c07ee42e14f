#include "ring/consumer.hpp"

#include <algorithm>
#include <thread>

#include "base/contract.hpp"
#include "base/error.hpp"

// READY, FREED, SLEEP and BELL name the memory orders, as PROTOCOL.md ("Memory orders") explains them.

namespace headrace::ring {

namespace {

template <class A, class B>
void must_be(const char* what, A found, B expected) {
  require(std::cmp_equal(found, expected),
          "corrupted ring header: " + std::string(what) + " is " + std::to_string(found) + " instead of " +
              std::to_string(expected) +
              " (it was overwritten, or the service is of another build); connect again, and "
              "restart the service if that does not help");
}

[[noreturn]] void throw_corrupted(const std::string& what) {
  throw Error("corrupted ring: " + what + " (something in this process wrote where it must not); restart the trainer");
}

ipc::Mapping map_ring(const ipc::Fd& memfd, const SlotLayout& layout, const Geometry& geometry, bool writable) {
  ipc::require_sealed(memfd);
  must_be("the size of the memory", ipc::size_of_file(memfd), geometry.bytes);
  require(geometry.slots >= 1 && geometry.slots <= queue_capacity,
          "corrupted ring header: " + std::to_string(geometry.slots) + " slots are announced (1 to " +
              std::to_string(queue_capacity) + " are possible); restart the service");
  const auto slots_at = Offsets(layout.fields()).slots;
  require(geometry.bytes >= slots_at && (geometry.bytes - slots_at) / layout.bytes() >= geometry.slots,
          "corrupted ring header: " + std::to_string(geometry.slots) + " slots of " + std::to_string(layout.bytes()) +
              " bytes do not fit into a ring of " + std::to_string(geometry.bytes) + "; restart the service");
  return ipc::Mapping::map(memfd, geometry.bytes, 0, writable);
}

ipc::Mapping map_lane(const std::optional<Share>& share) {
  if (!share) return {};
  ipc::require_sealed(share->lane);
  must_be("the size of the lane", ipc::size_of_file(share->lane), lane_bytes);
  return ipc::Mapping::map(share->lane, lane_bytes);
}

}  // namespace

Consumer::Consumer(const ipc::Fd& memfd, ipc::Bell bell, const Schema& schema, const Geometry& geometry,
                   const std::optional<Share>& share)
    : Consumer(map_ring(memfd, SlotLayout(schema, geometry.batch), geometry, !share), std::move(bell), schema, geometry,
               share) {}

Consumer::Consumer(ipc::Mapping memory, ipc::Bell bell, const Schema& schema, const Geometry& geometry,
                   const std::optional<Share>& share)
    : layout_(schema, geometry.batch),
      slots_(geometry.slots),
      memory_(std::move(memory)),
      lane_(map_lane(share)),
      view_(share ? View(memory_.data(), schema.size(), lane_.data()) : View(memory_.data(), schema.size())),
      follows_(share && share->replica != 0),
      bell_(std::move(bell)),
      states_(geometry.slots),
      generation_(geometry.generation) {
  EXPECTS(memory_.size() == geometry.bytes);
  check_header(geometry);
  memory_.dont_fork();
  if (share) lane_.dont_fork();
}

void Consumer::check_header(const Geometry& geometry) const {
  const Header header = view_.header();
  must_be("the magic number", header.magic, ring_magic);
  must_be("the version", header.version, protocol_version);
  must_be("its size", header.header_bytes, sizeof(Header));
  must_be("the size of the ring", header.bytes, geometry.bytes);
  must_be("the number of slots", header.slots, geometry.slots);
  must_be("the batch size", header.batch, geometry.batch);
  must_be("the size of a slot", header.slot_bytes, layout_.bytes());
  must_be("the number of fields", header.fields, layout_.fields());
  must_be("the generation", header.generation, geometry.generation);
  must_be("the place of the sample numbers", header.index_offset, layout_.index_offset());
  const auto& at = view_.at();
  must_be("the place of the cursors", header.control_offset, at.control);
  must_be("the place of the ready queue", header.ready_offset, at.ready);
  must_be("the place of the freed queue", header.freed_offset, at.freed);
  must_be("the place of the slots", header.slots_offset, at.slots);
  for (std::size_t i = 0; i < layout_.fields(); ++i)
    must_be("the place of a field", view_.field_offsets()[i], layout_.field_offset(i));
}

Ready Consumer::take_entry(std::uint32_t available) {
  if (available > slots_) throw_corrupted(std::to_string(available) + " batches are announced");
  const Ready entry = view_.ready(ready_head_);
  if (entry.slot >= slots_ || states_[entry.slot].held)
    throw_corrupted("slot " + std::to_string(entry.slot) + " is announced");
  if (entry.rows > entry.filled || entry.filled > layout_.batch())
    throw_corrupted("a batch of " + std::to_string(entry.rows) + " rows is announced");
  if (entry.generation > generation_ && !follows_) throw_corrupted("a seek is answered that was not asked for");
  ++ready_head_;
  view_.control().ready_head.store(ready_head_, std::memory_order_relaxed);  // relaxed: statistics
  return entry;
}

Acquired Consumer::try_acquire(Lease& lease) {
  const Lock lock(mutex_);
  auto& control = view_.control();
  for (;;) {
    // READY (acquire): the entries in front of it, and what is in their slots, are visible.
    const auto available = control.ready_tail.load(std::memory_order_acquire) - ready_head_;
    if (available == 0) {
      if (at_end()) return Acquired::end;
      if (held_ == slots_) return Acquired::exhausted;
      ring_if_wanted();
      return Acquired::nothing;
    }
    const auto entry = take_entry(available);
    const bool cut = follows_ && cut_off(entry.generation, ready_head_ - 1);
    if (!cut && entry.generation > generation_) generation_ = entry.generation;  // a follower's
    if (cut || entry.generation != generation_) {
      give_back(entry.slot, FreedUse::discarded);
      continue;
    }
    lease = {entry.slot, entry.rows, entry.filled, entry.epoch, entry.step};
    states_[entry.slot] = {true, acquired_, ready_head_ - 1, lease};
    ++held_;
    ++acquired_;
    control.acquired.store(acquired_, std::memory_order_relaxed);  // relaxed: statistics
    return Acquired::batch;
  }
}

bool Consumer::at_end() {
  // relaxed: the mark says itself how far we must have come for it to count.
  const auto end = view_.control().end.load(std::memory_order_relaxed);
  if (!ends_here(end)) return false;
  generation_ = static_cast<std::uint32_t>(end >> 32);
  return true;
}

bool Consumer::ends_here(std::uint64_t end) const {
  if (!follows_) return end == end_mark(generation_, ready_head_);
  const auto generation = static_cast<std::uint32_t>(end >> 32);
  // What a later seek of replica 0 leads to counts more than the end of an earlier generation.
  return end != 0 && static_cast<std::uint32_t>(end) == ready_head_ && generation >= generation_ &&
         !led(generation + 1);
}

bool Consumer::cut_off(std::uint32_t generation, std::uint32_t k) const {
  if (!led(generation + 1)) return false;
  const auto cut = view_.cut(generation + 1).load(std::memory_order_relaxed);  // relaxed: after LEAD
  if (static_cast<std::uint32_t>(cut >> 32) != generation + 1)
    throw_corrupted("replica 0 has sought more than " + std::to_string(queue_capacity) + " times in one batch's time");
  return static_cast<std::int32_t>(k - static_cast<std::uint32_t>(cut)) >= 0;
}

static Waited waited_of(ipc::FutexResult result) {
  switch (result) {
    case ipc::FutexResult::timeout:
      return Waited::timeout;
    case ipc::FutexResult::interrupted:
      return Waited::interrupted;
    default:
      return Waited::maybe;
  }
}

Waited Consumer::wait(std::chrono::nanoseconds slice) {
  const auto begin = std::chrono::steady_clock::now();
  const auto result = sleep(slice);
  const auto waited = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin);
  view_.control().wait_ns.fetch_add(static_cast<std::uint64_t>(waited.count()),
                                    std::memory_order_relaxed);  // statistics
  return waited_of(result);
}

ipc::FutexResult Consumer::sleep(std::chrono::nanoseconds slice) {
  auto& control = view_.control();
  std::uint32_t taken = 0;
  {
    const Lock lock(mutex_);
    taken = ready_head_;
  }
  // At first the core is only offered. A stager that shares it fills what is free, and neither side needs the system
  // calls of a sleep: a third of the switches between them, for batches of 512 KB. To a trainer with a core of its own
  // it is one short call more.
  std::this_thread::yield();
  if (control.ready_tail.load(std::memory_order_relaxed) != taken)  // relaxed: a hint
    return ipc::FutexResult::changed;
  control.trainer_waiting.store(1, std::memory_order_seq_cst);  // SLEEP, BELL
  // seq_cst: either we see here that nobody is to sleep any more, or wake() comes after the store above, and undoes it.
  if (awake_.load(std::memory_order_seq_cst)) return ipc::FutexResult::changed;
  bool ends = false;
  {
    const Lock lock(mutex_);
    ring_if_wanted();
    ends = ends_here(control.end.load(std::memory_order_seq_cst));  // SLEEP
  }
  auto result = ipc::FutexResult::changed;
  if (!ends && control.ready_tail.load(std::memory_order_seq_cst) == taken)  // SLEEP
    result = ipc::futex_wait(control.trainer_waiting, 1, slice);
  // relaxed: a stager that still sees 1 wakes nobody, in vain.
  control.trainer_waiting.store(0, std::memory_order_relaxed);
  return result;
}

void Consumer::wake() {
  awake_.store(true, std::memory_order_seq_cst);  // see sleep()
  auto& waiting = view_.control().trainer_waiting;
  waiting.store(0, std::memory_order_seq_cst);
  ipc::futex_wake(waiting);
}

bool Consumer::release(std::uint32_t slot, bool consumed) {
  const Lock lock(mutex_);
  if (slot >= slots_ || !states_[slot].held) return false;
  states_[slot].held = false;
  --held_;
  give_back(slot, consumed ? FreedUse::consumed : FreedUse::discarded);
  return true;
}

bool Consumer::put_back(std::uint32_t slot) {
  const Lock lock(mutex_);
  if (slot >= slots_ || !states_[slot].held || states_[slot].at + 1 != ready_head_) return false;
  states_[slot].held = false;
  --held_;
  auto& control = view_.control();
  control.acquired.store(--acquired_, std::memory_order_relaxed);      // relaxed: statistics
  control.ready_head.store(--ready_head_, std::memory_order_relaxed);  // relaxed: statistics
  return true;
}

void Consumer::give_back(std::uint32_t slot, FreedUse use) {
  auto& control = view_.control();
  auto& entry = view_.freed(freed_tail_);
  // relaxed: the store to freed_tail publishes both.
  entry.slot.store(slot, std::memory_order_relaxed);
  entry.use.store(static_cast<std::uint32_t>(use), std::memory_order_relaxed);
  // FREED asks for a release, BELL for sequential consistency, which is one, too.
  control.freed_tail.store(++freed_tail_, std::memory_order_seq_cst);
  if (control.stager_wants_bell.load(std::memory_order_seq_cst) == 0) return;  // BELL: the fast path
  // relaxed: written before the flag that was just read (BELL).
  if (static_cast<std::int32_t>(freed_tail_ - control.bell_at.load(std::memory_order_relaxed)) >= 0) ring_if_wanted();
}

void Consumer::ring_if_wanted() {
  auto& wanted = view_.control().stager_wants_bell;
  if (wanted.load(std::memory_order_seq_cst) == 0) return;  // BELL
  wanted.store(0, std::memory_order_relaxed);               // relaxed: only saves further bells
  bell_.ring();
}

Consumer::Sought Consumer::seek() {
  const Lock lock(mutex_);
  return {++generation_, ready_head_};
}

bool Consumer::led(std::uint32_t generation) const {
  return view_.lead().generation.load(std::memory_order_seq_cst) >= generation;  // LEAD
}

bool Consumer::follow() {
  const Lock lock(mutex_);
  if (!led(generation_ + 1)) return false;
  ++generation_;
  return true;
}

Waited Consumer::wait_for_leader(std::chrono::nanoseconds slice) {
  auto& word = view_.lead().generation;
  const auto before = word.load(std::memory_order_seq_cst);  // LEAD
  {
    const Lock lock(mutex_);
    if (before > generation_ || leader_gone() || awake_.load(std::memory_order_seq_cst)) return Waited::maybe;
  }
  return waited_of(ipc::futex_wait(word, before, slice));
}

bool Consumer::leader_gone() const {
  return view_.lead().gone.load(std::memory_order_seq_cst) != 0;  // LEAD
}

std::uint32_t Consumer::replicas_that_came() const {
  return view_.lead().came.load(std::memory_order_relaxed);  // relaxed: for a text
}

bool Consumer::holds(std::uint32_t slot) const {
  const Lock lock(mutex_);
  return slot < slots_ && states_[slot].held;
}

std::vector<Lease> Consumer::held() const {
  const Lock lock(mutex_);
  std::vector<const Slot*> slots;
  for (const auto& slot : states_)
    if (slot.held) slots.push_back(&slot);
  std::ranges::sort(slots, {}, [](const Slot* slot) { return slot->order; });
  std::vector<Lease> leases;
  for (const auto* slot : slots) leases.push_back(slot->lease);
  return leases;
}

void Consumer::keep_held(bool consumed) {
  const Lock lock(mutex_);
  std::vector<ipc::Mapping::Part> parts;
  for (std::uint32_t slot = 0; slot < slots_; ++slot)
    if (states_[slot].held) parts.push_back({view_.at().slots + slot * layout_.bytes(), layout_.bytes()});
  try {
    memory_.keep_only(parts, [&]() REQUIRES(mutex_) {  // called within keep_only()
      for (std::uint32_t slot = 0; consumed && slot < slots_; ++slot)
        if (states_[slot].held) give_back(slot, FreedUse::consumed);
    });
  } catch (...) {
    memory_.leave();  // views that may change are better than views that crash
    lane_.unmap();
    throw;
  }
}

void Consumer::forget_in_child() noexcept {
  memory_.leave();
  lane_.leave();
  bell_ = ipc::Bell();
}

}  // namespace headrace::ring
