#include "client/stream.hpp"

#include <algorithm>
#include <thread>

namespace headrace::client {

using namespace std::chrono_literals;

namespace {

// How late the death of a stager may be noticed: by a trainer that waits, and by one that still has batches.
constexpr auto slice = 200ms;
// The same for one that has just found nothing. Not at once: listening costs two system calls, at each small batch.
constexpr auto soon = 10ms;

std::string at(std::uint64_t epoch, std::uint64_t step) {
  return "epoch " + std::to_string(epoch) + ", step " + std::to_string(step);
}

}  // namespace

Stream::Stream(Session session)
    : info_(std::move(session.welcome), std::move(session.welcome_text)),
      connection_(std::move(session.connection)),
      stager_(std::move(session.stager)),
      consumer_(session.ring, std::move(session.bell), info_.welcome().fields,
                {.bytes = info_.welcome().ring_bytes,
                 .slots = info_.welcome().slots,
                 .batch = info_.welcome().slot_rows != 0 ? info_.welcome().slot_rows : info_.welcome().batch,
                 .generation = info_.welcome().generation}),
      epoch_(info_.welcome().epoch),
      step_(info_.welcome().step) {
  for (std::uint32_t slot = 0; slot < consumer_.slots(); ++slot)
    for (std::size_t field = 0; field < info_.welcome().fields.size(); ++field)
      pointers_.push_back(consumer_.field(slot, field));
}

std::string Stream::stager() const {
  const auto& welcome = info_.welcome();
  return "stager " + std::to_string(welcome.stager) + " (pid " + std::to_string(welcome.pid) + " on " + welcome.host +
         ")";
}

Result Stream::acquire(double timeout, hr_batch& batch) {
  const Deadline deadline(timeout);
  std::unique_lock turn(turn_, std::try_to_lock);
  if (auto failed = take_turn(turn, deadline)) return *failed;
  ring::Lease lease;
  auto result = next(deadline, lease);
  if (result.code == HR_OK) fill(lease, batch);
  return result;
}

std::optional<Result> Stream::take_turn(std::unique_lock<Turn>& turn, const Deadline& deadline) {
  while (!turn && !turn.try_lock_for(deadline.left(std::chrono::milliseconds(slice)))) {
    if (closing_.load(std::memory_order_relaxed)) return Result{HR_INVALID, "the stream was closed by another thread"};
    if (deadline.passed())
      return Result{HR_TIMEOUT,
                    "another thread's hr_acquire did not end " + deadline.text() + "; acquire in one thread"};
  }
  return std::nullopt;
}

Result Stream::next(const Deadline& deadline, ring::Lease& lease) {
  std::optional<Clock::time_point> waiting_since;
  const auto outcome = [&]() -> Result {
    for (;;) {
      const auto acquired = lost_.empty() ? consumer_.try_acquire(lease) : ring::Acquired::nothing;
      if (acquired == ring::Acquired::end)
        return {HR_END, "stream '" + info_.welcome().stream + "' has ended after epoch " +
                            std::to_string(info_.welcome().epochs) + "; seek, or connect to a new service"};
      if (acquired == ring::Acquired::nothing) {
        if (!waiting_since) listen_next_ = std::min(listen_next_, listened_ + soon);
        if (deadline.passed()) listen_next_ = {};
      }
      if (lost()) {
        if (acquired == ring::Acquired::batch) consumer_.release(lease.slot, false);
        return {lost_code_, lost_};
      }
      if (acquired == ring::Acquired::batch) return {};
      if (acquired == ring::Acquired::exhausted) return exhausted();
      if (deadline.passed()) return timed_out(deadline);
      if (!waiting_since) waiting_since = Clock::now();
      if (auto ended = sleep(deadline)) return *ended;
    }
  }();
  if (waiting_since) {
    const std::lock_guard lock(mutex_);
    stats_.wait_seconds += seconds_since(*waiting_since);
  }
  return outcome;
}

std::optional<Result> Stream::sleep(const Deadline& deadline) {
  const auto to_listen = std::max<Clock::duration>(listen_next_ - Clock::now(), 1ms);
  const auto waited = consumer_.wait(deadline.left(std::chrono::nanoseconds(to_listen)));
  if (waited == ring::Waited::timeout) listen_next_ = {};
  if (closing_.load(std::memory_order_relaxed)) return Result{HR_INVALID, "the stream was closed by another thread"};
  if (waited == ring::Waited::interrupted)
    return Result{HR_INTERRUPTED,
                  "a signal arrived while waiting for a batch of stream '" + info_.welcome().stream + "'"};
  return std::nullopt;
}

bool Stream::lost() {
  const auto now = Clock::now();
  if (lost_.empty() && now >= listen_next_) {
    listened_ = now;
    listen_next_ = now + slice;
    listen();
  }
  return !lost_.empty();
}

void Stream::hear(const ipc::Message& message) {
  const auto& service = info_.welcome().service;
  const auto said = ring::decode_from_service(message.text);
  if (const auto* dying = std::get_if<ring::Dying>(&said))
    lost_ = "service '" + service + "' has ended: " + dying->text;
  else if (const auto* refused = std::get_if<ring::Refused>(&said)) {
    lost_ = "service '" + service + "' ended this connection: " + refused->text;
    if (refused->kind != ring::Refusal::failed) lost_code_ = HR_REFUSED;
  } else if (const auto* agreed = std::get_if<ring::Agreed>(&said); agreed && agreed->number == questions_)
    answer_ = *agreed;
  else if (std::holds_alternative<ring::FilesTold>(said) && known_files() == nullptr) {
    Files files(message);
    const std::lock_guard lock(mutex_);
    files_ = std::move(files);
  }
}

void Stream::listen() {
  const auto& service = info_.welcome().service;
  const auto gone = [&] {
    return "service '" + service + "' is gone: " + stager() +
           " ended without a word; start it again, connect, and seek to where you were";
  };
  for (;;) {
    auto received = connection_.receive();
    if (received.what == ipc::Receipt::message) {
      hear(received.message);
      if (!lost_.empty()) return;
      continue;
    }
    if (received.what == ipc::Receipt::closed || !ipc::alive(stager_)) lost_ = gone();
    return;
  }
}

void Stream::fill(const ring::Lease& lease, hr_batch& batch) {
  const auto fields = info_.welcome().fields.size();
  batch = {.lease = lease.slot,
           .rows = lease.rows,
           .filled = lease.filled,
           .epoch = lease.epoch,
           .step = lease.step,
           .index = consumer_.index(lease.slot),
           .data = pointers_.data() + lease.slot * fields};
  const std::lock_guard lock(mutex_);
  const bool epoch_ends = lease.step + 1 >= info_.welcome().batches;
  epoch_ = lease.epoch + (epoch_ends ? 1 : 0);
  step_ = epoch_ends ? 0 : lease.step + 1;
  ++stats_.batches;
  ++stats_.held;
  stats_.rows += lease.rows;
  stats_.bytes += lease.filled * info_.row_bytes();
}

Result Stream::timed_out(const Deadline& deadline) const {
  const std::lock_guard lock(mutex_);
  return {HR_TIMEOUT, "no batch (stream " + info_.welcome().stream + ", " + at(epoch_, step_) + ") " + deadline.text() +
                          " from " + stager() + "; wait longer, or see what it waits for: headrace stat " +
                          info_.welcome().service};
}

Result Stream::exhausted() const {
  constexpr std::size_t shown = 16;
  const auto held = consumer_.held();
  std::string text = "all " + std::to_string(consumer_.slots()) + " slots of stream '" + info_.welcome().stream +
                     "' are leased by this trainer: ";
  for (std::size_t i = 0; i < std::min(held.size(), shown); ++i)
    text += (i ? "; " : "") + at(held[i].epoch, held[i].step);
  if (held.size() > shown) text += "; and " + std::to_string(held.size() - shown) + " more";
  return {HR_EXHAUSTED, text + ". Release one (drop the batch and its views), or give the service more slots"};
}

Result Stream::release(std::uint32_t lease, bool consumed) {
  if (!consumer_.release(lease, consumed))
    return {HR_INVALID, "lease " + std::to_string(lease) + " is not held; release each batch once"};
  const std::lock_guard lock(mutex_);
  --stats_.held;
  return {};
}

Result Stream::check_place(std::uint64_t epoch, std::uint64_t step) const {
  const auto& welcome = info_.welcome();
  const bool exists = step < welcome.batches && (welcome.epochs == 0 || epoch < welcome.epochs);
  const bool is_end = step == 0 && welcome.epochs > 0 && epoch == welcome.epochs;
  if (!exists && !is_end)
    return {HR_INVALID, at(epoch, step) + " does not exist in stream '" + welcome.stream + "' (" +
                            std::to_string(welcome.batches) + " batches per epoch, " +
                            (welcome.epochs ? std::to_string(welcome.epochs) : std::string("endless")) +
                            " epochs, both from 0); seek to one that does"};
  return {};
}

Result Stream::resume(std::uint64_t epoch, std::uint64_t step, double timeout) {
  if (auto no = check_place(epoch, step); no.code != HR_OK) return no;
  const Deadline deadline(timeout);
  {
    std::unique_lock turn(turn_, std::try_to_lock);
    if (auto failed = take_turn(turn, deadline)) return *failed;
    answer_.reset();
    const ring::Agree question{++questions_, epoch, step};
    const auto what = "whether the other trainers go on at " + at(epoch, step);
    if (auto no = ask(
            ring::encode(question), [this] { return answer_.has_value(); }, what, deadline);
        no.code != HR_OK)
      return no;
    if (!answer_->refusal.empty()) return {HR_REFUSED, answer_->refusal};
  }
  return seek(epoch, step);
}

Result Stream::ask(const std::string& question, const std::function<bool()>& answered, const std::string& what,
                   const Deadline& deadline) {
  {
    const std::lock_guard lock(mutex_);
    if (lost_.empty() && connection_.send(question, {}, 5s) != ipc::Sent::sent)
      lost_ = "service '" + info_.welcome().service + "' does not listen any more: " + stager() + " is gone or hangs";
  }
  for (;;) {
    listen_next_ = {};
    if (lost()) return {lost_code_, lost_};
    if (answered()) return {};
    if (closing_.load(std::memory_order_relaxed)) return {HR_INVALID, "the stream was closed by another thread"};
    if (deadline.passed())
      return {HR_TIMEOUT, "no answer " + deadline.text() + " " + what + ", from " + stager() +
                              "; see what it does: headrace stat " + info_.welcome().service};
    auto received = connection_.receive(deadline.left(std::chrono::milliseconds(slice)));
    if (received.what == ipc::Receipt::message) hear(received.message);
    if (received.what == ipc::Receipt::interrupted)
      return {HR_INTERRUPTED, "a signal arrived while waiting for the word of " + stager()};
  }
}

Result Stream::seek(std::uint64_t epoch, std::uint64_t step) {
  const auto& welcome = info_.welcome();
  if (auto no = check_place(epoch, step); no.code != HR_OK) return no;
  const std::lock_guard lock(mutex_);
  const ring::Seek seek{consumer_.seek(), epoch, step};
  if (connection_.send(ring::encode(seek), {}, 5s) != ipc::Sent::sent)
    return {HR_LOST, "service '" + welcome.service + "' does not listen any more: " + stager() +
                         " is gone or hangs; start it again, connect, and seek"};
  epoch_ = epoch;
  step_ = step;
  return {};
}

hr_info Stream::info() const {
  hr_info info = info_.view();
  info.ring = consumer_.data();
  info.ring_bytes = consumer_.bytes();
  const std::lock_guard lock(mutex_);
  info.epoch = epoch_;
  info.step = step_;
  return info;
}

hr_stats Stream::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void Stream::close(bool goodbye, bool keep_mapping) {
  closing_.store(true, std::memory_order_seq_cst);
  // acquire: see ~Visit. Calls in progress end within a slice; this one does not count itself.
  while (calls_.load(std::memory_order_seq_cst) != 0) {
    consumer_.wake();
    std::this_thread::sleep_for(1ms);
  }
  const auto held = consumer_.held();
  if (keep_mapping && !held.empty())
    consumer_.keep_held(goodbye);
  else if (goodbye)
    for (const auto& lease : held) consumer_.release(lease.slot, true);
  // Before the goodbye: the memory goes to the next trainer once it is said, if nobody maps it.
  consumer_.let_go();
  if (goodbye) static_cast<void>(connection_.send(ring::encode(ring::Goodbye{}), {}, 1s));
}

void Stream::forget() noexcept {
  forked_ = true;
  connection_.close();
  stager_.close();
  consumer_.forget_in_child();
}

}  // namespace headrace::client
