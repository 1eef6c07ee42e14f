#include "client/stream.hpp"

#include <algorithm>
#include <utility>

namespace headrace::client {

using namespace std::chrono_literals;

namespace {

// A trainer that has just found nothing listens so soon. Not at once: that costs two system calls, at each small batch.
constexpr auto soon = 10ms;
// So long a stager may take to read what it was told, or to answer what it knows.
constexpr double patience = 5, patience_for_answers = 60;
// So long a caller that learns by speaking that the service is gone lets others finish, to read its last words.
constexpr double patience_for_last_words = 1;

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
                 .generation = info_.welcome().generation},
                session.share),
      inbox_(connection_, stager_, info_),
      epoch_(info_.welcome().epoch),
      step_(info_.welcome().step) {
  for (std::uint32_t slot = 0; slot < consumer_.slots(); ++slot)
    for (std::size_t field = 0; field < info_.welcome().fields.size(); ++field)
      pointers_.push_back(consumer_.field(slot, field));
}

Result Stream::acquire(double timeout, hr_batch& batch) {
  const Deadline deadline(timeout);
  if (!turn_.take(deadline, calls_)) return not_our_turn(deadline, "another thread's hr_acquire did not end");
  const Turn::Ours ours(turn_);
  ring::Lease lease;
  std::uint64_t seeks = 0;
  auto result = next(deadline, lease, seeks);
  if (result.code == HR_OK) fill(lease, seeks, batch);
  return result;
}

Result Stream::not_our_turn(const Deadline& deadline, const std::string& whose) const {
  if (calls_.ending()) return closed();
  return {HR_TIMEOUT, whose + " " + deadline.text() + "; use a stream in one thread, or wait longer"};
}

Result Stream::next(const Deadline& deadline, ring::Lease& lease, std::uint64_t& seeks) {
  std::optional<Clock::time_point> waiting_since;
  std::optional<Result> outcome;
  while (!outcome) {
    if (seek_unheard_.load(std::memory_order_relaxed)) {  // relaxed: sooner or later
      outcome = why_it_hears_nothing();
      break;
    }
    seeks = seeks_.load();
    const auto acquired = inbox_.lost() ? ring::Acquired::nothing : consumer_.try_acquire(lease);
    if (acquired == ring::Acquired::end) {
      outcome = {HR_END, "stream '" + info_.welcome().stream + "' has ended after epoch " +
                             std::to_string(info_.welcome().epochs) + "; seek, or connect to a new service"};
      break;  // counts more than the end of the service
    }
    if (acquired == ring::Acquired::nothing) {
      if (!waiting_since) inbox_.look_within(soon);
      if (deadline.passed()) inbox_.look_at_once();
    }
    inbox_.look();
    if (inbox_.lost()) {
      // A batch of a service that is gone: whoever comes back gets it again.
      if (acquired == ring::Acquired::batch) consumer_.release(lease.slot, false);
      outcome = inbox_.lost();
    } else if (acquired == ring::Acquired::batch) {
      outcome.emplace();
    } else if (acquired == ring::Acquired::exhausted) {
      outcome = exhausted();
    } else if (deadline.passed()) {
      outcome = timed_out(deadline);
    } else {
      if (!waiting_since) waiting_since = Clock::now();
      outcome = sleep(deadline);
    }
  }
  if (waiting_since) {
    const Lock lock(mutex_);
    stats_.wait_seconds += seconds_since(*waiting_since);
  }
  return *outcome;
}

std::optional<Result> Stream::sleep(const Deadline& deadline) {
  const auto to_look = std::max<Clock::duration>(inbox_.next_look() - Clock::now(), 1ms);
  const auto waited = consumer_.wait(deadline.left(std::chrono::nanoseconds(to_look)));
  if (waited == ring::Waited::timeout) inbox_.look_at_once();
  if (calls_.ending()) return closed();
  if (waited == ring::Waited::interrupted)
    return Result{HR_INTERRUPTED,
                  "a signal arrived while waiting for a batch of stream '" + info_.welcome().stream + "'"};
  return std::nullopt;
}

void Stream::fill(const ring::Lease& lease, std::uint64_t seeks, hr_batch& batch) {
  const auto fields = info_.welcome().fields.size();
  batch = {.size = sizeof batch,
           .lease = lease.slot,
           .rows = lease.rows,
           .filled = lease.filled,
           .epoch = lease.epoch,
           .step = lease.step,
           .index = consumer_.index(lease.slot),
           .data = pointers_.data() + lease.slot * fields};
  const Lock lock(mutex_);
  if (seeks == seeks_.load()) {  // else it is of before a seek, which another thread has made meanwhile
    const bool epoch_ends = lease.step + 1 >= info_.welcome().batches;
    epoch_ = lease.epoch + (epoch_ends ? 1 : 0);
    step_ = epoch_ends ? 0 : lease.step + 1;
  }
  ++stats_.batches;
  ++stats_.held;
  stats_.rows += lease.rows;
  stats_.bytes += lease.filled * info_.row_bytes();
}

Result Stream::timed_out(const Deadline& deadline) const {
  std::string missing;
  if (const auto all = info_.welcome().replicas; shared() && consumer_.replicas_that_came() < all)
    missing = ", which begins when all replicas have connected (" + std::to_string(consumer_.replicas_that_came()) +
              " of " + std::to_string(all) + " have)";
  const Lock lock(mutex_);
  return {HR_TIMEOUT, "no batch (stream " + info_.welcome().stream + ", " + at(epoch_, step_) + ") " + deadline.text() +
                          " from " + info_.stager() + missing + "; wait longer, or see what it waits for: headrace " +
                          "stat " + info_.welcome().service};
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
  const Lock lock(mutex_);
  --stats_.held;
  return {};
}

Result Stream::put_back(std::uint32_t lease) {
  for (const auto& held : consumer_.held()) {
    if (held.slot != lease || !consumer_.put_back(lease)) continue;
    const Lock lock(mutex_);
    epoch_ = held.epoch;
    step_ = held.step;
    --stats_.held;
    --stats_.batches;
    stats_.rows -= held.rows;
    stats_.bytes -= held.filled * info_.row_bytes();
    return {};
  }
  return {HR_INVALID, "lease " + std::to_string(lease) + " is not the one that was acquired last; release it"};
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

Result Stream::say(const std::string& text, const Deadline& deadline) {
  for (;;) {
    switch (connection_.send(text, {}, deadline.left(std::chrono::milliseconds(Calls::slice)))) {
      case ipc::Sent::sent:
        return {};
      case ipc::Sent::closed:
        return hears_nothing();
      case ipc::Sent::full:  // or a signal arrived
        break;
    }
    if (calls_.ending()) return closed();
    if (deadline.passed()) return hears_nothing();
  }
}

Result Stream::hears_nothing() const {
  return {HR_LOST, "service '" + info_.welcome().service + "' does not listen any more: " + info_.stager() +
                       " is gone or hangs; start it again, connect, and seek"};
}

Result Stream::why_it_hears_nothing() {
  inbox_.look_at_once();
  inbox_.look();
  return inbox_.lost().value_or(hears_nothing());
}

Result Stream::require_leader() const {
  const auto& welcome = info_.welcome();
  if (welcome.replica == 0) return {};
  return {HR_REFUSED, "replica " + std::to_string(welcome.replica) + " of rank " + std::to_string(welcome.rank) +
                          " does not seek: replica 0 does, and saves the state, for all " +
                          std::to_string(welcome.replicas) + "; the others go where it goes"};
}

Result Stream::seek(std::uint64_t epoch, std::uint64_t step) {
  if (auto no = require_leader(); no.code != HR_OK) return no;
  if (auto no = check_place(epoch, step); no.code != HR_OK) return no;
  auto told = tell_to_seek(epoch, step);
  if (told.code != HR_LOST) return told;
  const Deadline deadline(patience_for_last_words);
  if (!turn_.take(deadline, calls_)) return told;
  const Turn::Ours ours(turn_);
  return why_it_hears_nothing();
}

Result Stream::tell_to_seek(std::uint64_t epoch, std::uint64_t step) {
  const Deadline deadline(patience);
  if (!sending_.take(deadline, calls_)) return calls_.ending() ? closed() : hears_nothing();
  const Turn::Ours ours(sending_);  // from the number on: the service wants them to grow
  // A call that a signal ended is made again, and is still the same seek: the others follow each seek once.
  if (const auto before = std::exchange(interrupted_, std::nullopt); before && is_of_now(*before, epoch, step))
    return until_led(*before);
  const auto sought = consumer_.seek();
  const auto told = begin_seek(sought.generation, epoch, step);  // first: no batch of there can have come yet
  const ring::Seek seek{sought.generation, epoch, step, shared() ? sought.taken : 0};
  if (auto no = say(ring::encode(seek), deadline); no.code != HR_OK) {
    seek_unheard_.store(true, std::memory_order_relaxed);
    return no;
  }
  seek_unheard_.store(false, std::memory_order_relaxed);
  return until_led(told);
}

Stream::Told Stream::begin_seek(std::uint32_t generation, std::uint64_t epoch, std::uint64_t step) {
  const Lock lock(mutex_);
  epoch_ = epoch;
  step_ = step;
  ++seeks_;
  return {generation, epoch, step, stats_.batches};
}

bool Stream::is_of_now(const Told& seek, std::uint64_t epoch, std::uint64_t step) const {
  const Lock lock(mutex_);
  return seek.epoch == epoch && seek.step == step && seek.batches == stats_.batches;
}

Result Stream::until_led(const Told& seek) {
  // The others must not get what is cut off, once they know by whatever way that this call is over.
  const Deadline to_be_heard(patience_for_answers);
  while (shared() && !consumer_.led(seek.generation)) {
    if (calls_.ending()) return closed();
    // The service that says why it goes need not be dead yet, and its words are read by whoever has the turn to listen.
    if (to_be_heard.passed() || connection_.hung_up() || !ipc::alive(stager_)) return hears_nothing();
    const auto waited = consumer_.wait_for_leader(to_be_heard.left(std::chrono::milliseconds(Calls::slice)));
    if (waited != ring::Waited::interrupted) continue;
    interrupted_ = seek;
    return {HR_INTERRUPTED, "a signal arrived while waiting for " + info_.stager() + " to hear of a seek"};
  }
  return {};
}

Result Stream::follow(double timeout) {
  const auto& welcome = info_.welcome();
  if (welcome.replica == 0) return {HR_INVALID, "hr_follow is for replicas other than 0, which leads; hr_seek"};
  const Deadline deadline(timeout);
  if (!turn_.take(deadline, calls_)) return not_our_turn(deadline, "another thread's hr_acquire did not end");
  const Turn::Ours ours(turn_);
  while (!consumer_.follow()) {
    inbox_.look();
    if (inbox_.lost()) return *inbox_.lost();
    if (calls_.ending()) return closed();
    const auto who = "replica 0 of rank " + std::to_string(welcome.rank) + " of stream '" + welcome.stream + "'";
    if (consumer_.leader_gone())
      return {HR_REFUSED, who + " is gone, and nobody else seeks; end the other replicas, and start all again"};
    if (deadline.passed()) return {HR_TIMEOUT, who + " did not go elsewhere " + deadline.text() + "; it must as well"};
    const auto waited = consumer_.wait_for_leader(deadline.left(std::chrono::milliseconds(Calls::slice)));
    if (waited == ring::Waited::interrupted) return {HR_INTERRUPTED, "a signal arrived while waiting for " + who};
  }
  return {};
}

Result Stream::resume(std::uint64_t epoch, std::uint64_t step, double timeout) {
  if (auto no = require_leader(); no.code != HR_OK) return no;
  if (auto no = check_place(epoch, step); no.code != HR_OK) return no;
  const Deadline deadline(timeout);
  {
    if (!turn_.take(deadline, calls_)) return not_our_turn(deadline, "another thread's hr_acquire did not end");
    const Turn::Ours ours(turn_);
    const ring::Agree question{inbox_.next_question(), epoch, step};
    auto no = ask(ring::encode(question), &Inbox::has_agreed, "whether the other trainers go on at " + at(epoch, step),
                  deadline);
    if (no.code != HR_OK) return no;
    if (!inbox_.agreed()->refusal.empty()) return {HR_REFUSED, inbox_.agreed()->refusal};
  }
  return seek(epoch, step);
}

Result Stream::files(const Files*& files) {
  // acquire: the table is there with its address. It never changes, so nobody needs a lock to read it.
  files = files_.load(std::memory_order_acquire);
  if (files != nullptr) return {};
  const Deadline deadline(patience_for_answers);
  if (!turn_.take(deadline, calls_)) return not_our_turn(deadline, "another thread's hr_acquire did not end");
  const Turn::Ours ours(turn_);
  if (!inbox_.has_files()) {  // else another thread asked meanwhile
    auto no = ask(ring::encode(ring::AskFiles{}), &Inbox::has_files, "which files its samples are in", deadline);
    if (no.code != HR_OK) return no;
  }
  files = &*inbox_.files();
  files_.store(files, std::memory_order_release);
  return {};
}

Result Stream::ask(const std::string& question, bool (Inbox::*answered)() const, const std::string& what,
                   const Deadline& deadline) {
  if (inbox_.lost()) return *inbox_.lost();
  {
    const Deadline to_say(patience);
    if (!sending_.take(to_say, calls_)) return calls_.ending() ? closed() : hears_nothing();
    const Turn::Ours ours(sending_);
    auto said = say(question, to_say);
    if (said.code == HR_LOST) inbox_.lose(said = why_it_hears_nothing());
    if (said.code != HR_OK) return said;
  }
  for (;;) {
    inbox_.look_at_once();
    inbox_.look();
    if (inbox_.lost()) return *inbox_.lost();
    if ((inbox_.*answered)()) return {};
    if (calls_.ending()) return closed();
    if (deadline.passed())
      return {HR_TIMEOUT, "no answer " + deadline.text() + " " + what + ", from " + info_.stager() +
                              "; see what it does: headrace stat " + info_.welcome().service};
    if (inbox_.wait(deadline.left(std::chrono::milliseconds(Calls::slice))) == ipc::Receipt::interrupted)
      return {HR_INTERRUPTED, "a signal arrived while waiting for the word of " + info_.stager()};
  }
}

hr_info Stream::info() const {
  hr_info info = info_.view();
  info.ring = consumer_.data();
  info.ring_bytes = consumer_.bytes();
  const Lock lock(mutex_);
  info.epoch = epoch_;
  info.step = step_;
  return info;
}

hr_stats Stream::stats() const {
  const Lock lock(mutex_);
  return stats_;
}

void Stream::close(bool goodbye, bool keep_mapping) {
  consumer_.wake();
  calls_.end();  // those that wait for the service look up within a slice
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
