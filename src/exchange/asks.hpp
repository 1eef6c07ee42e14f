// The asking side of the engine: fetches that wait, requests under way, and answers that arrive.
//
//   waiting --(a reply number is free; small ones to one peer joined)--> asked --answer--> in place --> arrived()
//                                                                           '--> bounce buffer --copied--> arrived()
//
//   1. The receive for an answer stands before its request leaves, so that no answer ever waits for memory here.
//   2. A reply number is free again once the answer is here and the request's own send is complete, in either order.
//   3. A bounce buffer is taken with the request and free again once it is copied from.
//
// One thread: the one that owns MPI; copies also in workers.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/workers.hpp"
#include "exchange/handover.hpp"
#include "exchange/in_flight.hpp"
#include "exchange/settings.hpp"
#include "exchange/silence.hpp"

namespace headrace::exchange {

class Asks {
 public:
  /// All but settings must outlive this. in_flight need not be there yet. name: of a peer, in messages.
  Asks(const Settings& settings, InFlight& in_flight, Handover& handover, Workers& workers, Traffic& traffic,
       Silence::Name name);

  void add(Fetch fetch) { waiting_.push_back(std::move(fetch)); }
  /// Sends requests for what waits, as many as may be under way. now: seconds, as in all that follows.
  void ask(double now);
  /// Throws Error where the answer is not what was asked for.
  void answered(std::uint32_t reply, std::size_t bytes, double now);
  void request_sent(std::uint32_t reply);
  /// A worker is done with it.
  void emptied(std::uint32_t bounce);
  /// Workers are copying.
  bool copying() const { return copying_ > 0; }
  /// Nothing waits and nothing is being copied.
  bool idle() const { return waiting_.empty() && copying_ == 0; }
  /// About once a second: what to tell of peers that do not answer. Throws Error where one has not for too long.
  std::vector<std::string> look(double now);

 private:
  /// Where an answer goes, and who waits for it.
  struct Arrival {
    std::vector<mpi::Block> into;
    std::vector<std::function<void()>> arrived;
    std::size_t bytes = 0;  // of all blocks
    void tell() const {
      for (const auto& one : arrived) one();
    }
  };
  struct Ask {  // one or several fetches, as one request
    int peer = 0;
    Request request;
    Arrival arrival;
    std::optional<std::uint32_t> bounce;
    std::vector<std::byte> message;
    double since = 0;
    bool answered = false, sent = false;
  };

  std::unique_ptr<Ask> next();
  bool joins(const Ask& ask, const Fetch& fetch) const;
  void send(std::unique_ptr<Ask> wanted, double now);
  bool wants_bounce(const Arrival& arrival) const;
  void copy(std::uint32_t bounce);
  void free_if_done(std::uint32_t reply);

  const Settings settings_;
  InFlight& in_flight_;
  Handover& handover_;
  Workers& workers_;
  Traffic& traffic_;
  std::deque<Fetch> waiting_;
  std::vector<std::unique_ptr<Ask>> asks_;  // by reply number
  std::vector<std::uint32_t> free_replies_;
  std::vector<std::vector<std::byte>> bounce_buffers_;
  std::vector<Arrival> arrivals_;  // by bounce buffer: what is being copied out of it
  std::vector<std::uint32_t> free_bounces_;
  std::size_t copying_ = 0;  // at workers
  Silence silence_;
};

}  // namespace headrace::exchange
