#include "exchange/engine.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"
#include "base/wait.hpp"
#include "log/log.hpp"

namespace headrace::exchange {

namespace {

// One tag for requests and control messages (told apart by their first byte), and one per outstanding request for its
// answer, so that an answer needs no matching by content.
constexpr int message_tag = 1;
constexpr int first_reply_tag = 16;
constexpr std::uint32_t max_outstanding = 4096;
constexpr std::chrono::seconds tell_of_silence{10};

constexpr std::byte control_mark{'C'};

// Measured: MPI needs 2 - 4 times as long for pieces of 512 B as for one piece; at 16 KB the copy costs as much.
constexpr std::size_t small_piece = 16 << 10;
// What is copied sooner than a worker is awake.
constexpr std::size_t small_job = 16 << 10;

std::size_t bytes_of(const std::vector<mpi::Block>& blocks) {
  std::size_t bytes = 0;
  for (const auto& block : blocks) bytes += block.bytes;
  return bytes;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Settings Settings::of(std::size_t nodes, std::size_t answer_row_bytes) {
  Settings settings;
  settings.answer_bytes = std::max(settings.answer_bytes, answer_row_bytes);
  settings.tell_s = std::chrono::duration<double>(wait_of("HEADRACE_WAIT_SILENCE", tell_of_silence)).count();
  // Measured on links of 1 Gbit/s: with 8 for two nodes requests wait behind answers (0.76 of the links instead of
  // 0.9); with 4 for three peers the links to those that ask little stand idle (0.83 instead of 0.86).
  const auto peers = std::max<std::size_t>(1, nodes - 1);
  settings.answers_per_peer = static_cast<unsigned>(std::clamp<std::size_t>(settings.send_buffers / peers, 2, 4));
  return settings;
}

Engine::Engine(const mpi::Comm& comm, const Settings& settings, Workers& workers, Pack pack, Control control)
    : settings_(settings),
      mailbox_(comm),
      workers_(workers),
      pack_(std::move(pack)),
      control_(std::move(control)),
      receive_buffers_(settings.receive_buffers, std::vector<std::byte>(max_message_bytes + 1)),
      send_buffers_(settings.send_buffers, std::vector<std::byte>(settings.answer_bytes)),
      bounce_buffers_(settings.bounce_buffers, std::vector<std::byte>(settings.bounce_bytes)),
      sent_to_(settings.send_buffers),
      waiting_(settings.answers_per_peer),
      asks_(max_outstanding),
      silence_(settings.tell_s, settings.limit_s, [&comm](int peer) { return comm.name_of(peer); }) {
  for (std::size_t i = 0; i < receive_buffers_.size(); ++i) open_receive(i);
  for (std::size_t i = 0; i < send_buffers_.size(); ++i) free_sends_.push_back(i);
  for (std::size_t i = 0; i < bounce_buffers_.size(); ++i) free_bounces_.push_back(i);
  for (std::uint32_t tag = max_outstanding; tag-- > 0;) free_tags_.push_back(tag);
}

void Engine::fetch(Fetch fetch) {
  {
    const std::lock_guard lock(mutex_);
    new_fetches_.push_back(std::move(fetch));
  }
  wake_.notify_one();
}

void Engine::control(int to, std::string text) {
  {
    const std::lock_guard lock(mutex_);
    new_controls_.emplace_back(to, std::move(text));
  }
  wake_.notify_one();
}

void Engine::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_one();
}

void Engine::run(const std::function<bool()>& finished) {
  // In this order: what others handed over before they made finished() true still leaves.
  progress_until([&] { return own_work_done() && finished() && !has_orders(); });
}

void Engine::run_for_now(const std::function<bool()>& enough) {
  progress_until(enough);
}

void Engine::progress_until(const std::function<bool()>& done) {
  prctl(PR_SET_TIMERSLACK, 1000UL);  // naps of microseconds mean it
  naps_.begin(now());
  for (;;) {
    bool moved = false;
    while (progress()) moved = true;
    if (done()) return;
    nap(moved);
    check_limits();
  }
}

bool Engine::progress() {
  bool moved = take_orders();
  moved |= take_messages();
  moved |= start_packing();
  return moved;
}

void Engine::watch(Kind kind, std::uint64_t number, mpi::Transfer transfer) {
  ++under_way_[static_cast<std::size_t>(kind)];
  transfers_.add(std::move(transfer), static_cast<std::uint64_t>(kind) << 32 | number);
}

std::size_t Engine::under_way(Kind kind) const {
  return under_way_[static_cast<std::size_t>(kind)];
}

bool Engine::take_orders() {
  std::vector<Fetch> fetches;
  std::vector<std::pair<int, std::string>> controls;
  std::vector<Answer> packed;
  std::vector<std::size_t> emptied;
  {
    const std::lock_guard lock(mutex_);
    fetches.swap(new_fetches_);
    controls.swap(new_controls_);
    packed.swap(packed_);
    emptied.swap(emptied_);
    woken_ = false;
  }
  copying_ -= emptied.size();
  free_bounces_.insert(free_bounces_.end(), emptied.begin(), emptied.end());
  for (auto& fetch : fetches) fetch_queue_.push_back(std::move(fetch));
  ask_for_waiting();
  for (auto& [to, text] : controls) {
    require(text.size() < max_message_bytes, "a control message is too long");
    auto message = std::make_unique<std::vector<std::byte>>();
    message->push_back(control_mark);
    for (const char c : text) message->push_back(static_cast<std::byte>(c));
    auto slot = std::find(control_texts_.begin(), control_texts_.end(), nullptr);
    if (slot == control_texts_.end()) slot = control_texts_.insert(slot, nullptr);
    *slot = std::move(message);
    watch(Kind::control_send, static_cast<std::uint64_t>(slot - control_texts_.begin()),
          mailbox_.send(to, message_tag, **slot));
  }
  for (auto& answer : packed) {
    --packing_;
    if (answer.failure) std::rethrow_exception(answer.failure);
    send(answer);
  }
  return !fetches.empty() || !controls.empty() || !packed.empty() || !emptied.empty();
}

void Engine::ask_for_waiting() {
  while (!fetch_queue_.empty() && !free_tags_.empty()) {
    auto wanted = std::make_unique<Ask>();
    wanted->fetch = std::move(fetch_queue_.front());
    fetch_queue_.pop_front();
    wanted->arrived.push_back(std::move(wanted->fetch.arrived));
    auto bytes = bytes_of(wanted->fetch.into);
    while (!fetch_queue_.empty() && joins(*wanted, fetch_queue_.front(), bytes)) {
      auto& next = fetch_queue_.front();
      bytes += bytes_of(next.into);
      auto& request = wanted->fetch.request;
      request.segments.insert(request.segments.end(), next.request.segments.begin(), next.request.segments.end());
      request.ordinals.insert(request.ordinals.end(), next.request.ordinals.begin(), next.request.ordinals.end());
      wanted->fetch.into.insert(wanted->fetch.into.end(), next.into.begin(), next.into.end());
      wanted->arrived.push_back(std::move(next.arrived));
      fetch_queue_.pop_front();
    }
    traffic_.fetches += wanted->arrived.size();
    ask(std::move(wanted));
  }
}

bool Engine::joins(const Ask& ask, const Fetch& fetch, std::size_t bytes) const {
  const auto& first = ask.fetch.request;
  return fetch.peer == ask.fetch.peer && fetch.request.stream == first.stream &&
         bytes + bytes_of(fetch.into) <= std::min(settings_.joined_bytes, settings_.answer_bytes) &&
         fits(first.segments.size() + fetch.request.segments.size(),
              first.ordinals.size() + fetch.request.ordinals.size());
}

void Engine::ask(std::unique_ptr<Ask> wanted) {
  const auto tag = free_tags_.back();
  free_tags_.pop_back();
  auto& ask = *(asks_[tag] = std::move(wanted));
  ask.message = encode(ask.fetch.request, tag);
  ask.since = now();
  const auto& into = ask.fetch.into;
  const auto bytes = bytes_of(into);
  if (into.size() > 2 && bytes / into.size() < small_piece && bytes <= settings_.bounce_bytes &&
      !free_bounces_.empty()) {
    ask.bounce = free_bounces_.back();
    free_bounces_.pop_back();
    ++traffic_.bounced;
  }
  // The receive stands before the request leaves, so that the answer never waits for memory here.
  const auto reply_tag = first_reply_tag + narrow<int>(tag);
  watch(Kind::reply, tag,
        ask.bounce == in_place
            ? mailbox_.receive(ask.fetch.peer, reply_tag, into)
            : mailbox_.receive(ask.fetch.peer, reply_tag, std::span(bounce_buffers_[ask.bounce]).first(bytes)));
  watch(Kind::request_send, tag, mailbox_.send(ask.fetch.peer, message_tag, ask.message));
  ++traffic_.requests;
}

void Engine::open_receive(std::size_t buffer) {
  watch(Kind::message, buffer, mailbox_.receive_any(message_tag, receive_buffers_[buffer]));
}

bool Engine::take_messages() {
  done_.clear();
  transfers_.poll(done_);
  for (const auto& done : done_) {
    const auto kind = static_cast<Kind>(done.token >> 32);
    const auto number = done.token & 0xffffffff;
    --under_way_[static_cast<std::size_t>(kind)];
    switch (kind) {
      case Kind::message:
        handle_message(done.source, std::span(receive_buffers_[number]).first(done.bytes));
        open_receive(number);
        break;
      case Kind::reply:
        take_reply(number, done.bytes);
        break;
      case Kind::request_send:
        half_done(number);
        break;
      case Kind::answer_send:
        free_sends_.push_back(number);
        waiting_.finish(sent_to_[number]);
        break;
      case Kind::control_send:
        control_texts_[number] = nullptr;
        break;
    }
  }
  return !done_.empty();
}

void Engine::handle_message(int from, std::span<const std::byte> message) {
  require(!message.empty(), "stager " + std::to_string(from) + " sent an empty message");
  if (message[0] == control_mark) {
    const auto text = message.subspan(1);
    control_(from, std::string(reinterpret_cast<const char*>(text.data()), text.size()));
    return;
  }
  Answer answer;
  answer.peer = from;
  answer.request = decode(message, answer.tag);
  require(answer.tag < max_outstanding, "stager " + std::to_string(from) + " sent a request with an impossible tag");
  waiting_.add(from, std::move(answer));
}

bool Engine::start_packing() {
  bool moved = false;
  while (!free_sends_.empty()) {
    auto next = waiting_.take();
    if (!next) break;
    auto answer = std::make_shared<Answer>(std::move(*next));
    answer->buffer = free_sends_.back();
    free_sends_.pop_back();
    sent_to_[answer->buffer] = answer->peer;
    if (!workers_.any_idle()) {
      pack(*answer);
      if (answer->failure) std::rethrow_exception(answer->failure);
      send(*answer);
      return true;  // one at a time: MPI wants to be looked after
    }
    moved = true;
    ++packing_;
    workers_.post_first([this, answer] {
      pack(*answer);
      // Notified under the lock: run() may return, and the engine go, as soon as it has seen the answer.
      const std::lock_guard lock(mutex_);
      packed_.push_back(std::move(*answer));
      wake_.notify_one();
    });
  }
  return moved;
}

void Engine::pack(Answer& answer) {
  try {
    answer.bytes = pack_(answer.request, send_buffers_[answer.buffer]);
  } catch (...) {
    answer.failure = std::current_exception();
  }
}

void Engine::send(const Answer& answer) {
  traffic_.bytes_sent += answer.bytes;
  watch(Kind::answer_send, answer.buffer,
        mailbox_.send(answer.peer, first_reply_tag + narrow<int>(answer.tag),
                      std::span(send_buffers_[answer.buffer]).first(answer.bytes)));
}

void Engine::take_reply(std::uint64_t tag, std::size_t bytes) {
  auto& ask = *asks_[tag];
  silence_.answered(ask.fetch.peer, now());
  traffic_.bytes_received += bytes;
  const auto wanted = bytes_of(ask.fetch.into);
  require(bytes == wanted, "stager " + std::to_string(ask.fetch.peer) + " answered " + std::to_string(bytes) +
                               " bytes instead of " + std::to_string(wanted));
  auto arrival = std::make_unique<Ask>();
  arrival->fetch.into = std::move(ask.fetch.into);
  arrival->arrived = std::move(ask.arrived);
  arrival->bounce = ask.bounce;
  half_done(tag);
  if (arrival->bounce != in_place) return copy_from_bounce(std::move(arrival));
  for (const auto& arrived : arrival->arrived) arrived();
}

void Engine::copy_from_bounce(std::unique_ptr<Ask> ask) {
  const auto copy = [this](const Ask& done) {
    const auto* from = bounce_buffers_[done.bounce].data();
    for (const auto& block : done.fetch.into) {
      std::memcpy(block.data, from, block.bytes);
      from += block.bytes;
    }
    for (const auto& arrived : done.arrived) arrived();
  };
  if (bytes_of(ask->fetch.into) < small_job || !workers_.any_idle()) {
    copy(*ask);
    free_bounces_.push_back(ask->bounce);
    return;
  }
  ++copying_;
  workers_.post_first([this, copy, done = std::shared_ptr<Ask>(std::move(ask))] {
    copy(*done);
    const std::lock_guard lock(mutex_);  // notified under it, as packed answers are
    emptied_.push_back(done->bounce);
    wake_.notify_one();
  });
}

void Engine::half_done(std::uint64_t tag) {
  if (--asks_[tag]->open > 0) return;
  asks_[tag] = nullptr;
  free_tags_.push_back(static_cast<std::uint32_t>(tag));
}

bool Engine::own_work_done() const {
  return transfers_.size() == under_way(Kind::message) && waiting_.empty() && packing_ == 0 && copying_ == 0 &&
         fetch_queue_.empty();
}

bool Engine::has_orders() {
  const std::lock_guard lock(mutex_);
  return !new_fetches_.empty() || !new_controls_.empty() || !packed_.empty() || !emptied_.empty();
}

void Engine::nap(bool moved) {
  const bool outstanding = transfers_.size() > under_way(Kind::message) || packing_ > 0 || copying_ > 0;
  const auto length = naps_.next(now(), moved, outstanding);
  if (!length) return std::this_thread::yield();
  std::unique_lock lock(mutex_);
  if (new_fetches_.empty() && new_controls_.empty() && packed_.empty() && emptied_.empty() && !woken_)
    wake_.wait_for(lock, std::chrono::duration<double>(*length));
}

void Engine::check_limits() {
  const double time = now();
  if (time < next_check_) return;
  next_check_ = time + 1;
  std::map<int, double> oldest;
  for (const auto& ask : asks_)
    if (ask) {
      auto& since = oldest.try_emplace(ask->fetch.peer, ask->since).first->second;
      since = std::min(since, ask->since);
    }
  for (const auto& line : silence_.look(time, oldest)) log::warn("{}", line);
}

}  // namespace headrace::exchange
