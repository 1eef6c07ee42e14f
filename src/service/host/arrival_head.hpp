// How samples come to memory while trainers are served, as stager 0 sees it (start = early), and how people are told.
// The coordinator's, in the host's thread. The decisions are books/arrival_book.hpp's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "service/blueprint/arrival.hpp"
#include "service/books/arrival_book.hpp"
#include "service/books/figures.hpp"
#include "service/books/messages.hpp"
#include "service/host/event_log.hpp"

namespace headrace::service::host {

class ArrivalHead {
 public:
  /// send: to all nodes.
  ArrivalHead(const blueprint::Arrival& arrival, std::uint32_t stagers, EventLog& events,
              books::ArrivalBook::Send send);

  void begin();
  void hear(const books::AtWindow& message);
  void hear(const books::Arrived& message);
  void hear(const books::Arriving& message);
  /// What a look at the service shows; nothing once all is there.
  std::optional<books::ArrivalFigures> figures() const;

 private:
  void tell_open(std::uint64_t window);

  EventLog& events_;
  books::ArrivalBook book_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, books::Arriving> said_;  // by window and stager
  std::uint64_t bytes_ = 0;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace headrace::service::host
