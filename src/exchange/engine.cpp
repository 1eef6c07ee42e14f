#include "exchange/engine.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"

namespace headrace::exchange {

namespace {

// One tag for requests and control messages (told apart by their first byte), and one per outstanding request for its
// answer, so that an answer needs no matching by content.
constexpr int message_tag = 1;
constexpr int first_reply_tag = 16;
constexpr std::uint32_t max_outstanding = 4096;

constexpr std::byte control_mark{'C'};

constexpr double shortest_nap = 20e-6;  // measured: shorter naps take the core from whoever packs
constexpr double yield_for =
    200e-6;  // first the core is only offered: measured, 512 B samples come 2 - 3 times as fast
constexpr double short_nap = 100e-6;  // while anything is outstanding
constexpr double long_nap = 10e-3;    // 0.4 % of a core
constexpr double quiet_after = 0.1;   // seconds without anything outstanding

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Engine::Engine(const mpi::Comm& comm, const Settings& settings, Workers& workers, Pack pack, Control control)
    : settings_(settings),
      mailbox_(comm),
      workers_(workers),
      pack_(std::move(pack)),
      control_(std::move(control)),
      receive_buffers_(settings.receive_buffers, std::vector<std::byte>(max_message_bytes + 1)),
      send_buffers_(settings.send_buffers, std::vector<std::byte>(settings.answer_bytes)),
      asks_(max_outstanding) {
  for (std::size_t i = 0; i < receive_buffers_.size(); ++i) open_receive(i);
  for (std::size_t i = 0; i < send_buffers_.size(); ++i) free_sends_.push_back(i);
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
  last_busy_ = now();
  nap_ = shortest_nap;
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
  {
    const std::lock_guard lock(mutex_);
    fetches.swap(new_fetches_);
    controls.swap(new_controls_);
    packed.swap(packed_);
    woken_ = false;
  }
  for (auto& fetch : fetches) fetch_queue_.push_back(std::move(fetch));
  while (!fetch_queue_.empty() && !free_tags_.empty()) {
    ask(std::move(fetch_queue_.front()));
    fetch_queue_.pop_front();
  }
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
    traffic_.bytes_sent += answer.bytes;
    watch(Kind::answer_send, answer.buffer,
          mailbox_.send(answer.peer, first_reply_tag + narrow<int>(answer.tag),
                        std::span(send_buffers_[answer.buffer]).first(answer.bytes)));
  }
  return !fetches.empty() || !controls.empty() || !packed.empty();
}

void Engine::ask(Fetch fetch) {
  const auto tag = free_tags_.back();
  free_tags_.pop_back();
  auto& ask = asks_[tag];
  ask = std::make_unique<Ask>();
  ask->fetch = std::move(fetch);
  ask->message = encode(ask->fetch.request, tag);
  ask->since = now();
  // The receive stands before the request leaves, so that the answer never waits for memory here.
  watch(Kind::reply, tag, mailbox_.receive(ask->fetch.peer, first_reply_tag + narrow<int>(tag), ask->fetch.into));
  watch(Kind::request_send, tag, mailbox_.send(ask->fetch.peer, message_tag, ask->message));
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
  waiting_.push_back(std::move(answer));
}

bool Engine::start_packing() {
  bool moved = false;
  while (!waiting_.empty() && !free_sends_.empty()) {
    auto answer = std::make_shared<Answer>(std::move(waiting_.front()));
    waiting_.pop_front();
    answer->buffer = free_sends_.back();
    free_sends_.pop_back();
    ++packing_;
    workers_.post_first([this, answer] {
      try {
        answer->bytes = pack_(answer->request, send_buffers_[answer->buffer]);
      } catch (...) {
        answer->failure = std::current_exception();
      }
      // Notified under the lock: run() may return, and the engine go, as soon as it has seen the answer.
      const std::lock_guard lock(mutex_);
      packed_.push_back(std::move(*answer));
      wake_.notify_one();
    });
    moved = true;
  }
  return moved;
}

void Engine::take_reply(std::uint64_t tag, std::size_t bytes) {
  auto& fetch = asks_[tag]->fetch;
  traffic_.bytes_received += bytes;
  std::size_t wanted = 0;
  for (const auto& block : fetch.into) wanted += block.bytes;
  require(bytes == wanted, "stager " + std::to_string(fetch.peer) + " answered " + std::to_string(bytes) +
                               " bytes instead of " + std::to_string(wanted));
  fetch.arrived();
  half_done(tag);
}

void Engine::half_done(std::uint64_t tag) {
  if (--asks_[tag]->open > 0) return;
  asks_[tag] = nullptr;
  free_tags_.push_back(static_cast<std::uint32_t>(tag));
}

bool Engine::own_work_done() const {
  return transfers_.size() == under_way(Kind::message) && waiting_.empty() && packing_ == 0 && fetch_queue_.empty();
}

bool Engine::has_orders() {
  const std::lock_guard lock(mutex_);
  return !new_fetches_.empty() || !new_controls_.empty() || !packed_.empty();
}

void Engine::nap(bool moved) {
  const bool outstanding = transfers_.size() > under_way(Kind::message) || packing_ > 0;
  const double time = now();
  if (outstanding || moved) last_busy_ = time;
  // Right after something moved more is likely to follow: naps start small and double.
  nap_ = moved ? shortest_nap : std::min(short_nap, nap_ * 2);
  if (moved) last_moved_ = time;
  if (outstanding && time - last_moved_ < yield_for) {
    std::this_thread::yield();
    return;
  }
  const double length = time - last_busy_ > quiet_after ? long_nap : nap_;
  std::unique_lock lock(mutex_);
  if (new_fetches_.empty() && new_controls_.empty() && packed_.empty() && !woken_)
    wake_.wait_for(lock, std::chrono::duration<double>(length));
}

void Engine::check_limits() {
  const double time = now();
  if (time < next_check_) return;
  next_check_ = time + 1;
  for (const auto& ask : asks_)
    if (ask && time - ask->since > settings_.limit_s)
      throw Error("no answer from stager " + std::to_string(ask->fetch.peer) + " for " +
                  std::to_string(static_cast<int>(settings_.limit_s)) +
                  " s (it is stuck or its node is unreachable); see its log and restart the service");
}

}  // namespace headrace::exchange
