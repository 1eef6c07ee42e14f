#include "ring/lane.hpp"

#include <algorithm>
#include <string>

#include "base/contract.hpp"
#include "ipc/futex.hpp"

namespace headrace::ring {

// READY, FREED, SLEEP and BELL name the memory orders, as PROTOCOL.md ("Memory orders") explains them.

void Lane::publish(std::uint32_t slot, const Batch& batch) {
  EXPECTS(!out_[slot]);
  out_[slot] = true;
  ++count_;
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

void Lane::publish_end(std::uint32_t generation) {
  view_.control().end.store(end_mark(generation, ready_tail_), std::memory_order_seq_cst);  // SLEEP
  wake_trainer();
}

void Lane::wake_trainer() {
  auto& waiting = view_.control().trainer_waiting;
  if (waiting.load(std::memory_order_seq_cst) == 0) return;  // SLEEP: the fast path, no system call
  waiting.store(0, std::memory_order_relaxed);               // relaxed: the futex compares it under its own lock
  ipc::futex_wake(waiting);
}

std::uint32_t Lane::returned_count() const {
  // FREED (acquire): what the trainer wrote into entries and slots before is visible.
  const auto count = view_.control().freed_tail.load(std::memory_order_acquire) - freed_head_;
  if (count > count_)
    throw ProtocolViolation("the trainer returned " + std::to_string(count) + " batches, but has only " +
                            std::to_string(count_) + " (its memory was overwritten, or it is no Headrace client)");
  return count;
}

bool Lane::take(std::uint32_t& slot, bool& consumed) {
  if (returned_count() == 0) return false;
  const auto& entry = view_.freed(freed_head_);
  // relaxed, after the acquire in returned_count(). Read once each: the trainer could change it between two reads.
  const auto number = entry.slot.load(std::memory_order_relaxed);
  const auto use = static_cast<FreedUse>(entry.use.load(std::memory_order_relaxed));
  if (number >= out_.size() || !out_[number])
    throw ProtocolViolation("the trainer returned slot " + std::to_string(number) + ", which it does not have");
  if (use != FreedUse::consumed && use != FreedUse::discarded)
    throw ProtocolViolation("the trainer returned slot " + std::to_string(number) + " in an unknown way");
  out_[number] = false;
  --count_;
  ++freed_head_;
  slot = number;
  consumed = use == FreedUse::consumed;
  return true;
}

void Lane::forget() {
  std::fill(out_.begin(), out_.end(), false);
  count_ = 0;
}

bool Lane::arm_bell(std::uint32_t after) {
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

bool Lane::bell_is_armed() const {
  // relaxed: asked about a trainer that has just rung, by a system call behind its store.
  return view_.control().stager_wants_bell.load(std::memory_order_relaxed) != 0;
}

bool Lane::has_returns() const {
  // relaxed: collect() looks again before anything is taken.
  return view_.control().freed_tail.load(std::memory_order_relaxed) != freed_head_;
}

void Lane::disarm_bell() {
  // relaxed: a bell too many does no harm
  view_.control().stager_wants_bell.store(0, std::memory_order_relaxed);
}

TrainerStats Lane::stats() const {
  // All relaxed: figures for people, of no consequence, and not to be believed either.
  const auto& control = view_.control();
  return {.wait_ns = control.wait_ns.load(std::memory_order_relaxed),
          .acquired = control.acquired.load(std::memory_order_relaxed),
          .ready = std::min(ready_tail_ - control.ready_head.load(std::memory_order_relaxed), count_),
          .out = count_,
          .waiting = control.trainer_waiting.load(std::memory_order_relaxed) != 0};
}

}  // namespace headrace::ring
