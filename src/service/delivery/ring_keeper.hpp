// The ring of one place (the n-th of a stream on its node), and the one before it while somebody may still write there.
// One per place, at the stager that serves it; host's thread only.
//
//   whole --(a trainer comes)--> lent --(it is gone, and nobody else has the memory)---------> whole
//                                 |---(it lives on)--> vacant, the old ring retired --put()--> whole
//                                 '---(it lives on, and one is retired already)--> blocked --(that one ends)--> vacant
//
//   1. A ring is lent again only after its trainer said goodbye (which is trusted) or its process ended; and, where the
//      kernel can tell, only when nobody has the memory any more: neither a forked child, nor whom it was passed to.
//   2. At most one ring of a place is retired, so a place never takes more than twice its memory.
//      A ring that replicas share is theirs to read only: it is whole once none of them is served any more.
//   3. A retired ring is given up when its process ends, or earlier where the kernel tells that nobody has it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "ipc/fd.hpp"
#include "ipc/process.hpp"
#include "ring/producer.hpp"
#include "service/books/ring_state.hpp"

namespace headrace::service::delivery {

/// Whoever had a ring.
struct Leaver {
  ipc::Fd pidfd;
  std::string who;  ///< "trainer 3 (process 4711 on n03)"
  std::string why;  ///< it went
  bool goodbye = false;
};

/// The memory of a ring that somebody may still write to.
struct Retired {
  std::uint64_t bytes = 0;
  std::string text;  ///< "trainer 3 (process 4711 on n03), thrown out (...), lives on"
};

class RingKeeper {
 public:
  /// What is given up: whoever destroys it unmaps and frees memory, which may take a while.
  struct Rubbish {
    std::unique_ptr<ring::Producer> ring;
    ipc::Fd memfd;
  };
  using State = books::RingState;
  static constexpr std::chrono::milliseconds settle_limit{2000};  ///< for a process that ended to be unmapped

  explicit RingKeeper(std::unique_ptr<ring::Producer> ring) : ring_(std::move(ring)) {}

  State state() const { return state_; }
  /// Whole or lent.
  ring::Producer& ring() const { return *ring_; }
  std::uint64_t bytes() const { return bytes_; }
  void lend() { state_ = State::lent; }
  /// Its trainer is gone, and nothing of the ring is under way. look() follows.
  void back(Leaver leaver, Clock::time_point now);
  /// How things are by now. Returns what is given up; empty where nothing is.
  Rubbish look(Clock::time_point now);
  /// A ring made anew, for a vacant place.
  void put(std::unique_ptr<ring::Producer> ring);
  /// Who still has the former ring.
  std::optional<Retired> retired() const;

 private:
  struct Former {
    Leaver leaver;
    ipc::Fd memfd;
    std::uint64_t bytes = 0;
  };
  static bool ended(const Leaver& leaver) { return leaver.goodbye || !ipc::alive(leaver.pidfd); }
  static bool over(const Former& former);

  std::unique_ptr<ring::Producer> ring_;
  std::uint64_t bytes_ = ring_->bytes();
  State state_ = State::whole;
  std::optional<Leaver> leaver_;  // settling, blocked
  Clock::time_point since_{};
  std::optional<Former> former_;
};

}  // namespace headrace::service::delivery
