#include "service/host/arrival_head.hpp"

#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "log/log.hpp"

namespace headrace::service::host {

ArrivalHead::ArrivalHead(const blueprint::Arrival& arrival, std::uint32_t stagers, EventLog& events,
                         books::ArrivalBook::Send send)
    : events_(events), book_(arrival.windows(), stagers, std::move(send)) {}

void ArrivalHead::begin() {
  begin_ = Clock::now();
  book_.begin();
}

void ArrivalHead::hear(const books::AtWindow& message) {
  if (message.at) book_.want(message.stream, message.rank, message.at->window);
}

void ArrivalHead::hear(const books::Arriving& message) {
  said_[{message.window, message.stager}] = message;
}

void ArrivalHead::hear(const books::Arrived& message) {
  bytes_ += message.bytes;
  auto& said = said_[{message.window, message.stager}];
  said.done = said.total = message.bytes;
  const bool before = book_.is_open(message.window);
  book_.loaded(message.stager, message.window);
  if (!before && book_.is_open(message.window)) tell_open(message.window);
}

void ArrivalHead::tell_open(std::uint64_t window) {
  const auto seconds = seconds_since(begin_);
  events_.tell("window_open", {{"epoch", 0}, {"window", window}, {"seconds", seconds}});
  if (book_.complete()) {
    log::info("loaded {} in {:.2f} s ({}), while trainers were served", format_bytes(static_cast<double>(bytes_)),
              seconds, format_rate(static_cast<double>(bytes_), seconds));
    events_.tell("loaded", {{"bytes", bytes_}, {"seconds", seconds}});
    said_.clear();
  } else if (book_.opened() == 1) {
    log::info("the first of {} windows is in memory after {:.2f} s: epoch 0 begins, while the others are read",
              book_.windows(), seconds);
  } else {
    log::debug("window {} of {} is in memory after {:.2f} s", window + 1, book_.windows(), seconds);
  }
}

std::optional<books::ArrivalFigures> ArrivalHead::figures() const {
  if (book_.complete()) return std::nullopt;
  books::ArrivalFigures figures{.windows = book_.windows(), .opened = book_.opened(), .window = book_.current()};
  std::uint64_t done = 0, total = 0;
  for (const auto& [of, said] : said_)
    if (of.first == figures.window) {
      done += said.done;
      total += said.total;
    }
  figures.read = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
  return figures;
}

}  // namespace headrace::service::host
