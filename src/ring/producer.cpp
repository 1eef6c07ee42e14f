#include "ring/producer.hpp"

#include <algorithm>
#include <new>

#include "base/bytes.hpp"
#include "base/contract.hpp"
#include "base/narrow.hpp"
#include "ipc/futex.hpp"
#include "ipc/reserve.hpp"

namespace headrace::ring {

// READY, FREED, SLEEP and BELL name the memory orders, as PROTOCOL.md ("Memory orders") explains them.

std::uint64_t Producer::ring_bytes(const Schema& schema, std::uint32_t batch, std::uint32_t slots) {
  return Offsets(schema.size()).slots + slots * SlotLayout(schema, batch).bytes();
}

Producer::Producer(const std::string& name, Schema schema, std::uint64_t bytes, unsigned threads)
    : schema_(std::move(schema)), memfd_(ipc::make_memfd(name, round_up(bytes, page_bytes))) {
  require(bytes > Offsets(schema_.size()).slots,
          "a ring of " + format_bytes(bytes) + " has no room for batches; give it more");
  const auto whole = round_up(bytes, page_bytes);
  memory_ = ipc::Mapping::map(memfd_, whole);
  ipc::reserve(memfd_, 0, memory_.span(), threads);
  ipc::seal(memfd_);
  view_ = View(memory_.data(), schema_.size());
}

std::uint32_t Producer::configure(std::uint32_t batch, std::uint32_t generation, std::uint32_t most) {
  EXPECTS(filling() == 0 && with_trainer() == 0 && generation >= 1);
  SlotLayout layout(schema_, batch);
  const auto room = memory_.size() - view_.at().slots;
  const auto slots = std::min<std::uint64_t>(room / layout.bytes(), std::min(most, queue_capacity));
  require(slots >= 1, "a batch of " + std::to_string(batch) + " rows takes " + format_bytes(layout.bytes()) +
                          ", but the ring of this trainer has " + format_bytes(room) +
                          "; use a smaller batch, or the number of trainers that the service was configured for");
  layout_ = std::move(layout);
  states_.assign(slots, Slot{});
  free_.clear();
  for (auto slot = static_cast<std::uint32_t>(slots); slot-- > 0;) free_.push_back(slot);
  with_trainer_ = ready_tail_ = freed_head_ = 0;
  write_header(generation);
  return this->slots();
}

void Producer::write_header(std::uint32_t generation) {
  const auto& at = view_.at();
  Header& header = view_.header();
  header = {.magic = ring_magic,
            .version = protocol_version,
            .header_bytes = sizeof(Header),
            .bytes = memory_.size(),
            .slots = slots(),
            .batch = layout_->batch(),
            .slot_bytes = layout_->bytes(),
            .fields = narrow<std::uint32_t>(schema_.size()),
            .generation = generation,
            .index_offset = layout_->index_offset(),
            .control_offset = at.control,
            .ready_offset = at.ready,
            .freed_offset = at.freed,
            .slots_offset = at.slots};
  for (std::size_t i = 0; i < schema_.size(); ++i) view_.field_offsets()[i] = layout_->field_offset(i);
  new (&view_.control()) Control{};  // all zero; the next trainer maps the ring after a message that tells it to
}

std::optional<std::uint32_t> Producer::take_free() {
  if (free_.empty()) return std::nullopt;
  const auto slot = free_.back();
  free_.pop_back();
  states_[slot].where = Where::filling;
  return slot;
}

void Producer::give_back(std::uint32_t slot) {
  EXPECTS(slot < slots() && states_[slot].where == Where::filling);
  states_[slot].where = Where::free;
  free_.push_back(slot);
}

void Producer::publish(std::uint32_t slot, const Batch& batch) {
  EXPECTS(slot < slots() && states_[slot].where == Where::filling);
  EXPECTS(batch.rows <= batch.filled && batch.filled <= layout_->batch() && batch.generation >= 1);
  states_[slot] = {Where::trainer, batch};
  ++with_trainer_;
  view_.ready(ready_tail_) = {.slot = slot,
                              .generation = batch.generation,
                              .epoch = batch.epoch,
                              .step = batch.step,
                              .rows = batch.rows,
                              .filled = batch.filled};
  ++ready_tail_;
  auto& control = view_.control();
  // relaxed: it only counts for a trainer that has taken every entry up to the mark, and READY brings it there.
  if (batch.last) control.end.store(end_mark(batch.generation, ready_tail_), std::memory_order_relaxed);
  // READY asks for a release, SLEEP for sequential consistency, which is one, too.
  control.ready_tail.store(ready_tail_, std::memory_order_seq_cst);
  wake_trainer();
}

void Producer::publish_end(std::uint32_t generation) {
  EXPECTS(generation >= 1);
  view_.control().end.store(end_mark(generation, ready_tail_), std::memory_order_seq_cst);  // SLEEP
  wake_trainer();
}

void Producer::wake_trainer() {
  auto& waiting = view_.control().trainer_waiting;
  if (waiting.load(std::memory_order_seq_cst) == 0) return;  // SLEEP: the fast path, no system call
  waiting.store(0, std::memory_order_relaxed);               // relaxed: the futex compares it under its own lock
  ipc::futex_wake(waiting);
}

std::uint32_t Producer::returned_count() const {
  // FREED (acquire): what the trainer wrote into entries and slots before is visible.
  const auto count = view_.control().freed_tail.load(std::memory_order_acquire) - freed_head_;
  if (count > with_trainer_)
    throw ProtocolViolation("the trainer returned " + std::to_string(count) + " batches, but has only " +
                            std::to_string(with_trainer_) +
                            " (its memory was overwritten, or it is no Headrace client)");
  return count;
}

std::size_t Producer::collect(std::vector<Returned>& returned) {
  const auto count = returned_count();
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto& entry = view_.freed(freed_head_);
    // relaxed, after the acquire in returned_count(). Read once each: the trainer could change it between two reads.
    const auto number = entry.slot.load(std::memory_order_relaxed);
    const auto use = static_cast<FreedUse>(entry.use.load(std::memory_order_relaxed));
    if (number >= slots() || states_[number].where != Where::trainer)
      throw ProtocolViolation("the trainer returned slot " + std::to_string(number) + ", which it does not have");
    if (use != FreedUse::consumed && use != FreedUse::discarded)
      throw ProtocolViolation("the trainer returned slot " + std::to_string(number) + " in an unknown way");
    auto& slot = states_[number];
    slot.where = Where::free;
    free_.push_back(number);
    --with_trainer_;
    ++freed_head_;
    returned.push_back({number, use == FreedUse::consumed, slot.batch});
  }
  return count;
}

bool Producer::arm_bell(std::uint32_t after) {
  EXPECTS(after >= 1);
  auto& control = view_.control();
  control.bell_at.store(freed_head_ + after, std::memory_order_relaxed);                   // published by BELL
  control.stager_wants_bell.store(1, std::memory_order_seq_cst);                           // BELL
  const auto returned = control.freed_tail.load(std::memory_order_seq_cst) - freed_head_;  // BELL
  const bool starving = control.trainer_waiting.load(std::memory_order_seq_cst) != 0;      // BELL
  if (returned == 0 || (returned < after && !starving)) return true;
  disarm_bell();
  return false;
}

bool Producer::has_returns() const {
  // relaxed: collect() looks again before anything is taken.
  return view_.control().freed_tail.load(std::memory_order_relaxed) != freed_head_;
}

void Producer::disarm_bell() {
  // relaxed: a bell too many does no harm
  view_.control().stager_wants_bell.store(0, std::memory_order_relaxed);
}

std::vector<Batch> Producer::reclaim_all() {
  std::vector<Batch> lost;
  for (std::uint32_t number = 0; number < slots(); ++number) {
    auto& slot = states_[number];
    if (slot.where != Where::trainer) continue;
    slot.where = Where::free;
    free_.push_back(number);
    lost.push_back(slot.batch);
  }
  with_trainer_ = 0;
  return lost;
}

TrainerStats Producer::stats() const {
  // All relaxed: figures for people, of no consequence, and not to be believed either.
  const auto& control = view_.control();
  return {.wait_ns = control.wait_ns.load(std::memory_order_relaxed),
          .acquired = control.acquired.load(std::memory_order_relaxed),
          .ready = std::min(ready_tail_ - control.ready_head.load(std::memory_order_relaxed), with_trainer_),
          .waiting = control.trainer_waiting.load(std::memory_order_relaxed) != 0};
}

}  // namespace headrace::ring
