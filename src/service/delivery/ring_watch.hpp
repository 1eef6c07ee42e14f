// What becomes of rings whose trainers are gone: looks at them until nobody else can write there, gives up former ones,
// makes new ones for vacant places, and tells the leader of the node, who keeps the places (places.hpp). Host's thread
// only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/workers.hpp"
#include "service/books/messages.hpp"
#include "service/delivery/rings.hpp"

namespace headrace::service::delivery {

class RingWatch {
 public:
  struct Actions {
    std::function<void(books::ToLeader)> to_leader;
    std::function<void(std::function<void()> job)> post;  ///< any thread: runs it in the host's thread
  };
  /// streams: their names. host: what this node is called.
  RingWatch(const Rings& rings, Workers& workers, std::vector<std::string> streams, std::string host, Actions actions);

  /// A trainer has left its ring.
  void back(std::uint32_t stream, std::uint32_t place, Leaver leaver, Clock::time_point now);
  /// all: also at those that wait for nothing but a process to end.
  void look(Clock::time_point now, bool all);
  /// A ring is wanted for a vacant place. RingMade follows.
  void make(const books::MakeRing& order);
  /// Rings that processes still have which were thrown out.
  std::vector<books::FormerRing> retired() const;
  /// The service ends: rings may go at any time, and nothing is told any more.
  void close() { closed_ = true; }

 private:
  void look_at(std::uint32_t stream, std::uint32_t place, RingKeeper& keeper, Clock::time_point now);

  const Rings& rings_;
  Workers& workers_;
  const std::vector<std::string> streams_;
  const std::string host_;
  Actions actions_;
  bool closed_ = false;
};

}  // namespace headrace::service::delivery
