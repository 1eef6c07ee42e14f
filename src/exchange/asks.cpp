#include "exchange/asks.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "base/error.hpp"

namespace headrace::exchange {

namespace {

// Measured: MPI needs 2 - 4 times as long for pieces of 512 B as for one piece; at 16 KB the copy costs as much.
constexpr std::size_t small_piece = 16 << 10;
// What is copied sooner than a worker is awake.
constexpr std::size_t small_job = 16 << 10;

std::size_t bytes_of(const std::vector<mpi::Block>& blocks) {
  std::size_t bytes = 0;
  for (const auto& block : blocks) bytes += block.bytes;
  return bytes;
}

template <class Item>
void append(std::vector<Item>& to, const std::vector<Item>& what) {
  to.insert(to.end(), what.begin(), what.end());
}

}  // namespace

Asks::Asks(const Settings& settings, InFlight& in_flight, Handover& handover, Workers& workers, Traffic& traffic,
           Silence::Name name)
    : settings_(settings),
      in_flight_(in_flight),
      handover_(handover),
      workers_(workers),
      traffic_(traffic),
      asks_(max_outstanding),
      bounce_buffers_(settings.bounce_buffers, std::vector<std::byte>(settings.bounce_bytes)),
      arrivals_(settings.bounce_buffers),
      silence_(settings.tell_s, settings.limit_s, std::move(name)) {
  for (std::uint32_t bounce = 0; bounce < settings.bounce_buffers; ++bounce) free_bounces_.push_back(bounce);
  for (std::uint32_t reply = max_outstanding; reply-- > 0;) free_replies_.push_back(reply);
}

void Asks::ask(double now) {
  while (!waiting_.empty() && !free_replies_.empty()) send(next(), now);
}

std::unique_ptr<Asks::Ask> Asks::next() {
  auto wanted = std::make_unique<Ask>();
  const auto take = [&] {
    auto& fetch = waiting_.front();
    wanted->peer = fetch.peer;
    wanted->request.stream = fetch.request.stream;
    wanted->request.epoch = fetch.request.epoch;
    append(wanted->request.segments, fetch.request.segments);
    append(wanted->request.ordinals, fetch.request.ordinals);
    append(wanted->arrival.into, fetch.into);
    wanted->arrival.bytes += bytes_of(fetch.into);
    wanted->arrival.arrived.push_back(std::move(fetch.arrived));
    waiting_.pop_front();
  };
  take();
  while (!waiting_.empty() && joins(*wanted, waiting_.front())) take();
  traffic_.fetches += wanted->arrival.arrived.size();
  return wanted;
}

bool Asks::joins(const Ask& ask, const Fetch& fetch) const {
  return fetch.peer == ask.peer && fetch.request.stream == ask.request.stream &&
         fetch.request.epoch == ask.request.epoch &&
         ask.arrival.bytes + bytes_of(fetch.into) <= std::min(settings_.joined_bytes, settings_.answer_bytes) &&
         fits(ask.request.segments.size() + fetch.request.segments.size(),
              ask.request.ordinals.size() + fetch.request.ordinals.size());
}

bool Asks::wants_bounce(const Arrival& arrival) const {
  const auto bytes = arrival.bytes;
  return arrival.into.size() > 2 && bytes / arrival.into.size() < small_piece && bytes <= settings_.bounce_bytes;
}

void Asks::send(std::unique_ptr<Ask> wanted, double now) {
  const auto reply = free_replies_.back();
  free_replies_.pop_back();
  auto& ask = *(asks_[reply] = std::move(wanted));
  ask.message = encode(ask.request, reply);
  ask.since = now;
  if (wants_bounce(ask.arrival) && !free_bounces_.empty()) {
    ask.bounce = free_bounces_.back();
    free_bounces_.pop_back();
    ++traffic_.bounced;
    in_flight_.receive_reply(ask.peer, reply, std::span(bounce_buffers_[*ask.bounce]).first(ask.arrival.bytes));
  } else {
    in_flight_.receive_reply(ask.peer, reply, std::span<const mpi::Block>(ask.arrival.into));
  }
  in_flight_.send_request(ask.peer, reply, ask.message);
  ++traffic_.requests;
}

void Asks::answered(std::uint32_t reply, std::size_t bytes, double now) {
  auto& ask = *asks_[reply];
  silence_.answered(ask.peer, now);
  traffic_.bytes_received += bytes;
  const auto wanted = ask.arrival.bytes;
  require(bytes == wanted, "stager " + std::to_string(ask.peer) + " answered " + std::to_string(bytes) +
                               " bytes instead of " + std::to_string(wanted));
  const auto bounce = ask.bounce;
  auto arrival = std::move(ask.arrival);
  ask.answered = true;
  free_if_done(reply);
  if (!bounce) return arrival.tell();
  arrivals_[*bounce] = std::move(arrival);
  if (arrivals_[*bounce].bytes < small_job || !workers_.any_idle()) {
    copy(*bounce);
    free_bounces_.push_back(*bounce);
    return;
  }
  ++copying_;
  workers_.post_first([this, bounce = *bounce] {
    copy(bounce);
    handover_.emptied(bounce);
  });
}

void Asks::copy(std::uint32_t bounce) {
  const auto arrival = std::exchange(arrivals_[bounce], {});
  const auto* from = bounce_buffers_[bounce].data();
  for (const auto& block : arrival.into) {
    std::memcpy(block.data, from, block.bytes);
    from += block.bytes;
  }
  arrival.tell();
}

void Asks::emptied(std::uint32_t bounce) {
  --copying_;
  free_bounces_.push_back(bounce);
}

void Asks::request_sent(std::uint32_t reply) {
  asks_[reply]->sent = true;
  free_if_done(reply);
}

void Asks::free_if_done(std::uint32_t reply) {
  if (!asks_[reply]->answered || !asks_[reply]->sent) return;
  asks_[reply] = nullptr;
  free_replies_.push_back(reply);
}

std::vector<std::string> Asks::look(double now) {
  std::map<int, double> oldest;
  for (const auto& ask : asks_)
    if (ask) {
      auto& since = oldest.try_emplace(ask->peer, ask->since).first->second;
      since = std::min(since, ask->since);
    }
  return silence_.look(now, oldest);
}

}  // namespace headrace::exchange
