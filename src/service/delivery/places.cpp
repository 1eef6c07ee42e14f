#include "service/delivery/places.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/contract.hpp"

namespace headrace::service::delivery {

Places::Answer Places::take(std::uint32_t stream, std::int32_t local_rank) {
  auto& places = places_[stream];
  const auto wanted = static_cast<std::size_t>(std::max(0, local_rank));
  // Those with a ring first: to make one takes memory that others may need.
  for (const bool whole : {true, false}) {
    std::optional<std::uint32_t> found;
    for (std::uint32_t p = 0; p < places.size(); ++p)
      if (places[p].state == State::free && places[p].whole == whole && (!found || p == wanted)) found = p;
    if (!found) continue;
    auto& place = places[*found];
    if (!whole)
      if (auto why = no_memory(stream, place); !why.empty()) return {std::nullopt, why};
    place.state = whole ? State::taken : State::making;
    return {Taken{*found, !whole}, ""};
  }
  return {std::nullopt, all_taken(stream)};
}

std::string Places::no_memory(std::uint32_t stream, const Place& place) const {
  const auto bytes = setup_.ring_bytes[stream];
  std::uint64_t under_way = 0, extra = 0;
  for (std::size_t s = 0; s < places_.size(); ++s)
    for (const auto& other : places_[s]) {
      if (other.state == State::making) under_way += setup_.ring_bytes[s];
      extra += other.retired.bytes;
    }
  auto limit = setup_.available();
  if (setup_.more && extra > *setup_.more)
    limit = {0, "the option memory"};
  else
    limit.available -= std::min(limit.available, under_way);
  if (bytes <= limit.available) return "";
  const auto size = [](std::uint64_t count) { return format_bytes(static_cast<double>(count)); };
  return fmt::format("there is too little memory on {} for a new ring of stream '{}' ({} needed, {} allows {}){}",
                     setup_.host, setup_.streams[stream], size(bytes), limit.by, size(limit.available),
                     place.retired.bytes > 0
                         ? ", and the former one cannot be used: " + place.retired.text + "; end that process"
                         : "; free some, or use fewer slots or a smaller batch");
}

std::string Places::all_taken(std::uint32_t stream) const {
  auto text = fmt::format("all rings of stream '{}' on {} are taken: it serves {} trainer{} there (trainers-per-node)",
                          setup_.streams[stream], setup_.host, setup_.per_stream, setup_.per_stream == 1 ? "" : "s");
  for (const auto& place : places_[stream])
    if (place.state == State::blocked)
      return text + "; one of them can be given to nobody: " + place.retired.text + "; end that process";
  return text + "; start fewer trainers, or restart the service with a larger number";
}

void Places::give_back(std::uint32_t stream, std::uint32_t place) {
  auto& given = places_.at(stream).at(place);
  EXPECTS(given.state == State::taken);
  given.state = State::free;
}

void Places::made(std::uint32_t stream, std::uint32_t place, bool good) {
  auto& mine = places_.at(stream).at(place);
  EXPECTS(mine.state == State::making);
  mine.state = good ? State::taken : State::free;
  mine.whole = good;
}

bool Places::left(std::uint32_t stream, std::uint32_t place, RingKeeper::State state) {
  auto& mine = places_.at(stream).at(place);
  EXPECTS(mine.state == State::taken || mine.state == State::blocked);
  mine.whole = state == RingKeeper::State::whole;
  mine.state = state == RingKeeper::State::blocked ? State::blocked : State::free;
  return mine.state == State::free;
}

void Places::retired(std::uint32_t stream, std::uint32_t place, Retired what) {
  places_.at(stream).at(place).retired = std::move(what);
}

}  // namespace headrace::service::delivery
