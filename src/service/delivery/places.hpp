// The places for trainers on a node, kept by its leader: which ring is taken, which must be made anew first because the
// former one is still in the hands of a process that was thrown out, and which cannot be given to anybody. Pure
// bookkeeping: the stagers that serve the places say how their rings are (ring_keeper.hpp).
//
//   free --take()--> taken --left(whole)--> free
//                          --left(vacant)--> free, to be made --take()--> making --made()--> taken
//                          --left(blocked)--> blocked --left(whole | vacant)--> free
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "service/blueprint/memory.hpp"
#include "service/delivery/ring_keeper.hpp"

namespace headrace::service::delivery {

class Places {
 public:
  struct Setup {
    std::vector<std::string> streams;
    std::vector<std::uint64_t> ring_bytes;  ///< per stream
    std::uint32_t per_stream = 1;
    std::string host;
    std::optional<std::uint64_t> more{};  ///< bytes that the option `memory` leaves beside what was reserved at start
    std::function<blueprint::MemoryLimit()> available;
  };
  explicit Places(Setup setup) : setup_(std::move(setup)), places_(setup_.streams.size(), per_stream()) {}

  struct Taken {
    std::uint32_t place = 0;
    bool make = false;  ///< its ring must be made before anybody comes in
  };
  /// A place for a trainer, that of its local rank if it can be; else why there is none: what to tell it.
  struct Answer {
    std::optional<Taken> taken;
    std::string no_room;
  };
  Answer take(std::uint32_t stream, std::int32_t local_rank);
  /// Nobody came after all.
  void give_back(std::uint32_t stream, std::uint32_t place);
  /// The ring was made (and is taken), or could not be.
  void made(std::uint32_t stream, std::uint32_t place, bool good);
  /// What has become of the ring of a place whose trainer is gone: whole, vacant or blocked. Whether somebody may come.
  bool left(std::uint32_t stream, std::uint32_t place, RingKeeper::State state);
  /// What of former rings of the place is still there.
  void retired(std::uint32_t stream, std::uint32_t place, Retired what);

 private:
  enum class State { free, taken, making, blocked };
  struct Place {
    State state = State::free;
    bool whole = true;
    Retired retired;
  };
  std::vector<Place> per_stream() const { return std::vector<Place>(setup_.per_stream); }
  /// Why no ring can be made now, or "".
  std::string no_memory(std::uint32_t stream, const Place& place) const;
  std::string all_taken(std::uint32_t stream) const;

  const Setup setup_;
  std::vector<std::vector<Place>> places_;
};

}  // namespace headrace::service::delivery
