// What a trainer owes the others of its stream: where one of them went on from a saved state, each must do so too, or
// be there by itself. Pure bookkeeping for one trainer, called from the host's thread.
//
//   1. States are counted per rank as the registry does: the k-th of one rank is the k-th of every other.
//   2. A trainer that has taken no batch yet owes at once. One in the middle of its work may take a ring full of
//   batches
//      more: it may load its own a moment later, as where all go back to an older state.
//   3. Being at the place already, or seeking it, pays the debt, too.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "service/books/ledger.hpp"

namespace headrace::service::books {

/// A trainer went on from a saved state.
struct Resumed {
  std::uint64_t number = 0;  ///< of the stream's states, since it last had no living trainer
  Step at;
  std::string who;  ///< "rank 0 (process 4711 on n03)"
};

class Following {
 public:
  /// steps per epoch; slots of the ring.
  Following(std::uint64_t steps, std::uint32_t slots) : steps_(steps), slots_(slots) {}

  /// Of the stream; this trainer's own ones, too. position: its first batch not released, taken: its batches so far.
  void resumed(const Resumed& other, Step position, std::uint64_t taken);
  /// This trainer's next state is accepted; or its rank's states up to `number` were, before it came.
  void loaded() { loaded(loads_ + 1); }
  void loaded(std::uint64_t number);
  /// It seeks.
  void seeks(Step to);

  /// Whom it does not follow, if so: "rank 1 (...) goes on at ...".
  std::optional<std::string> strays(const std::string& me, Step position, std::uint64_t taken) const;

 private:
  struct Debt {
    Resumed to;
    std::uint64_t until = 0;  // batches taken by then
  };
  std::uint64_t at(Step step) const { return step.epoch * steps_ + step.step; }

  std::uint64_t steps_;
  std::uint32_t slots_;
  std::uint64_t loads_ = 0;
  std::deque<Debt> debts_;  // in order of their numbers
};

}  // namespace headrace::service::books
