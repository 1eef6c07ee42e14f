#include "service/host/window_head.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "log/log.hpp"

namespace headrace::service::host {

namespace {
constexpr double report_waiting_after = 60;  // seconds: as trainers that ask for nothing are
constexpr std::size_t most_named = 3;
}  // namespace

WindowHead::WindowHead(const blueprint::Blueprint& blueprint, const blueprint::Windowing& windowing,
                       const books::Registry& registry, std::uint32_t stagers, EventLog& events, Send send)
    : blueprint_(blueprint),
      windowing_(windowing),
      registry_(registry),
      events_(events),
      streams_(blueprint.streams.size()) {
  for (std::uint32_t s = 0; s < streams_.size(); ++s)
    if (windowing.covers(s))
      streams_[s].book.emplace(
          s, stagers, [&windowing, s](plan::EpochWindow at) { return windowing.next(s, at); }, send);
}

void WindowHead::begin() {
  for (std::uint32_t s = 0; s < streams_.size(); ++s) refresh(s);
}

void WindowHead::refresh(std::uint32_t stream) {
  auto& state = streams_[stream];
  if (!state.book) return;
  std::vector<books::WindowHolder> holders;
  const auto world_size = registry_.world_size(stream);
  for (const auto& open : registry_.open_ranks(stream)) {
    const auto known = state.known.find(open.rank);
    const bool fresh = open.alive && known != state.known.end() && known->second.first == open.generation;
    const auto at = fresh ? known->second.second
                          : windowing_.at(stream, blueprint_.streams[stream].schedule(world_size), open.rank,
                                          open.at.epoch, open.at.step);
    holders.push_back({open.rank, at, open.who});
  }
  const auto next = registry_.next_session(stream).epoch;
  state.book->hold(std::move(holders),
                   windowing_.first(stream, next, world_size > 0 ? world_size : blueprint_.trainers));
  look(stream);
}

void WindowHead::hear(const books::AtWindow& message) {
  auto& state = streams_.at(message.stream);
  if (!state.book) return;
  if (registry_.living(message.stream, message.rank) != message.generation) return;  // it has gone since
  state.known[message.rank] = {message.generation, message.at};
  state.book->moved(message.rank, message.at);
  look(message.stream);
}

void WindowHead::hear(const books::WindowAnswer& message) {
  auto& state = streams_.at(message.stream);
  if (!state.book) return;
  if (message.what == books::WindowAnswer::What::left) {
    state.book->left(message.stager, message.turn);
  } else {
    read_bytes_[message.stager] = message.read_bytes;
    state.book->loaded(message.stager, message.turn, message.what == books::WindowAnswer::What::both_loaded);
  }
  look(message.stream);
}

void WindowHead::hear(const books::ReadingWindow& message) {
  auto& state = streams_.at(message.stream);
  if (state.book) state.reading[message.stager] = message;
}

std::string WindowHead::window_text(std::uint32_t stream, plan::EpochWindow window) const {
  return fmt::format("window {} of {} of epoch {}", windowing_.number(stream, window) + 1,
                     windowing_.count(stream, window), window.epoch);
}

/// Tells the log what has changed.
void WindowHead::look(std::uint32_t stream) {
  auto& state = streams_[stream];
  const auto& book = *state.book;
  const auto& name = blueprint_.streams[stream].name;
  if (book.turn() != state.turn) {
    state.turn = book.turn();
    state.since = Clock::now();
    state.told_waiting = false;
    state.told_open = 0;
    log::debug("stream {}: {} is wanted", name, window_text(stream, *book.at()));
    events_.tell("window",
                 {{"stream", name}, {"epoch", book.at()->epoch}, {"window", windowing_.number(stream, *book.at())}});
  }
  if (book.opened() > state.told_open && state.told_open == 0) {
    std::uint64_t read = 0;
    for (const auto& [stager, bytes] : read_bytes_) read += bytes;
    events_.tell("window_open", {{"stream", name},
                                 {"epoch", book.at()->epoch},
                                 {"window", windowing_.number(stream, *book.at())},
                                 {"seconds", seconds_since(state.since)},
                                 {"read_bytes", read}});
  }
  state.told_open = book.opened();
}

void WindowHead::tick(Clock::time_point now) {
  for (std::uint32_t s = 0; s < streams_.size(); ++s) {
    auto& state = streams_[s];
    if (!state.book || !state.book->at() || state.told_waiting) continue;
    if (seconds_between(state.since, now) < report_waiting_after) continue;
    state.told_waiting = true;
    const auto figures = this->figures(s);
    if (state.book->opened() == 0 || figures->held_by.empty() || registry_.alive() == 0) continue;
    log::info("stream {}: {} stays in memory, and what follows the next one waits, for {}", blueprint_.streams[s].name,
              window_text(s, *state.book->at()), figures->held_by);
  }
}

std::optional<books::WindowFigures> WindowHead::figures(std::uint32_t stream) const {
  const auto& state = streams_[stream];
  if (!state.book || !state.book->at()) return std::nullopt;
  const auto& book = *state.book;
  books::WindowFigures figures{.epoch = book.at()->epoch,
                               .window = windowing_.number(stream, *book.at()),
                               .windows = windowing_.count(stream, *book.at()),
                               .opened = book.opened()};
  std::uint64_t done = 0, total = 0;
  for (const auto& [stager, said] : state.reading)
    if (said.window == (book.opened() == 0 ? *book.at() : book.next().value_or(*book.at()))) {
      done += said.done;
      total += said.total;
    }
  figures.read = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
  for (const auto& holder : book.holding(most_named + 1)) {
    if (figures.held_by.size() > 400) break;
    figures.held_by += (figures.held_by.empty() ? "" : ", ") + holder.who;
  }
  return figures;
}

}  // namespace headrace::service::host
