// Who is who among the trainers of the whole service: claims of ranks, world sizes, and when the service is done. Lives
// at stager 0; pure logic, called from one thread.
//
//   1. A rank of a stream has at most one living trainer. A claim of a living rank is refused, with its holder's name.
//   2. The world size of a stream stands while one of its trainers lives. With the next one a new session begins.
//   3. Trainers that go on from saved states must mean the same place: the k-th state of each is compared with the k-th
//      of the others, counted since the stream last had no living trainer. Who loads none is noticed by its stager
//      (following.hpp), which learns of the others' states from here.
//   4. A rank's ledger outlives its trainer: who claims the rank next goes on where it ended.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "config/config.hpp"
#include "service/blueprint/stream_facts.hpp"
#include "service/books/following.hpp"
#include "service/books/ledger.hpp"

namespace headrace::service::books {

/// A claim is refused for what a living trainer holds: it may be about to leave.
class Taken : public Error {
 public:
  using Error::Error;
};

/// Who claims a rank.
struct Claim {
  std::uint32_t stream = 0;
  std::uint32_t rank = 0, world_size = 1;
  std::string who;        ///< "process 4711 on n03"
  std::string no_room{};  ///< why its node cannot take it, if so: told where nothing else speaks against the claim
};

struct Grant {
  std::uint64_t generation = 0;  ///< of the claim; names it when it ends
  std::uint64_t session = 0;
  Ledger ledger{};
  std::uint64_t loads = 0;         ///< saved states that this rank has taken up
  std::vector<Resumed> resumed{};  ///< those of other ranks that it has not
};

class Registry {
 public:
  explicit Registry(std::vector<blueprint::StreamFacts> streams);

  /// Throws Error with the reason of a refusal; Taken where it is another trainer.
  Grant claim(const Claim& claim);
  /// The trainer of a claim is gone. Out-of-date generations are ignored. goodbye: it left on purpose.
  void left(std::uint32_t stream, std::uint32_t rank, std::uint64_t generation, const Ledger& ledger, bool goodbye);
  /// The trainer of a claim wants to go on at a saved position. Returns why it may not, or "".
  std::string agree(std::uint32_t stream, std::uint32_t rank, std::uint64_t generation, Step at);
  /// The newest state that trainers of the stream went on from.
  std::optional<Resumed> newest_state(std::uint32_t stream) const;
  /// Whether a trainer has released the last batch of the last epoch. It may live on, and go back.
  void finished(std::uint32_t stream, std::uint32_t rank, std::uint64_t generation, bool all);

  /// A rank of the stream's session whose batches are wanted from a step on: whoever had it did not say goodbye.
  struct Open {
    std::uint32_t rank = 0;
    Step at{};
    bool alive = false;
    std::uint64_t generation = 0;  ///< of a living one
    std::string who{};             ///< "trainer 3 (process 4711 on n03)", "trainer 5, which has not come"
  };
  std::vector<Open> open_ranks(std::uint32_t stream) const;
  /// The generation of a rank's living trainer; nothing where there is none.
  std::optional<std::uint64_t> living(std::uint32_t stream, std::uint32_t rank) const;
  /// Where whoever comes next begins, if all are gone.
  Step next_session(std::uint32_t stream) const { return begin_of_session(states_[stream]); }

  /// All epochs of all streams are consumed (never true while one is endless).
  bool all_consumed() const;
  /// There have been trainers, none is alive, and each of them said goodbye.
  bool all_said_goodbye() const;
  std::size_t alive() const;
  std::uint32_t world_size(std::uint32_t stream) const { return states_[stream].world_size; }
  std::uint64_t session(std::uint32_t stream) const { return states_[stream].session; }
  const blueprint::StreamFacts& facts(std::uint32_t stream) const { return facts_[stream]; }
  std::size_t streams() const { return facts_.size(); }

 private:
  struct Member {
    bool alive = false, goodbye = false, finished = false;
    std::uint64_t generation = 0;
    std::string who;
    Ledger ledger;
    std::size_t loads = 0;  // saved states taken up, by whoever had this rank
  };
  /// A position that trainers take up from saved states, and who named it first.
  struct Load {
    Step at;
    std::uint32_t rank = 0;
    std::string who;
  };
  struct State {
    std::uint32_t world_size = 0;
    std::uint64_t session = 0;
    Step begin;                               // of the session
    std::map<std::uint32_t, Member> members;  // ranks that were claimed in it
    std::deque<Load> loads;                   // since the stream last had no living trainer, but for
    std::size_t forgotten = 0;                // the first ones, which all ranks have taken up
    std::size_t all_loads() const { return forgotten + loads.size(); }
  };
  void check(const Claim& claim) const;
  static void forget_loads(State& state);
  static void forget_shared_loads(State& state);
  static Resumed resumed(const State& state, std::size_t number);
  static Step begin_of_session(const State& state);

  std::vector<blueprint::StreamFacts> facts_;
  std::vector<State> states_;
  std::uint64_t generations_ = 0;
};

}  // namespace headrace::service::books
