// The stager's half of what it shares with one trainer: cursors, flags and both queues (layout.hpp). A ring has one lane,
// or one for each of the replicas that share it. Nothing that the trainer can write is used unchecked. One thread at a
// time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "ring/layout.hpp"

namespace headrace::ring {

/// The trainer wrote what no trainer's library writes. The ring stays usable after reclaim_all() and configure(); where
/// replicas share it, after drop() of that one.
class ProtocolViolation : public Error {
 public:
  using Error::Error;
  std::uint32_t replica = 0;
};

/// What is in a slot.
struct Batch {
  std::uint32_t generation = 0;  ///< of the seek that asked for it; >= 1
  std::uint64_t epoch = 0, step = 0;
  std::uint32_t rows = 0;    ///< that are real
  std::uint32_t filled = 0;  ///< that hold data; rows <= filled <= batch size
  bool last = false;         ///< nothing follows in this generation: the trainer learns of the end without a wait
  bool operator==(const Batch&) const = default;
};

struct TrainerStats {
  std::uint64_t wait_ns = 0, acquired = 0;  ///< as the trainer says
  std::uint32_t ready = 0;                  ///< published and not acquired yet, at most slots()
  std::uint32_t out = 0;                    ///< published and not given back
  bool waiting = false;                     ///< it sleeps, waiting for a batch
};

class Lane {
 public:
  /// view: with the control of this lane, which is all zero.
  Lane(View view, std::uint32_t slots) : view_(view), out_(slots) {}

  void publish(std::uint32_t slot, const Batch& batch);
  void publish_end(std::uint32_t generation);
  /// Takes the next slot that came back: whether there was one, which, and whether it was used. ProtocolViolation.
  bool take(std::uint32_t& slot, bool& consumed);
  /// The trainer is gone: it has nothing any more.
  void forget();
  bool has(std::uint32_t slot) const { return out_[slot]; }
  std::uint32_t out() const { return count_; }

  bool arm_bell(std::uint32_t after);
  bool bell_is_armed() const;
  bool has_returns() const;
  void disarm_bell();
  TrainerStats stats() const;

 private:
  void wake_trainer();
  std::uint32_t returned_count() const;

  View view_;
  std::vector<bool> out_;  // slots that the trainer has
  std::uint32_t count_ = 0;
  std::uint32_t ready_tail_ = 0, freed_head_ = 0;
};

}  // namespace headrace::ring
