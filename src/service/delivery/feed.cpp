#include "service/delivery/feed.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"

namespace headrace::service::delivery {

namespace {
/// No stream comes so far; epochs are counted on from here without a thought of overflow.
constexpr std::uint64_t last_epoch = std::uint64_t{1} << 62;

// A wake-up costs some 10 us on both sides: as much as copying 100 KB. Small batches share one.
constexpr std::uint64_t bytes_per_bell = 2 << 20;

std::uint32_t slots_per_bell(const ring::Producer& ring) {
  const auto half = std::max<std::uint64_t>(1, ring.slots() / 2);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(bytes_per_bell / ring.layout().bytes(), 1, half));
}
}  // namespace

Feed::Feed(const Supply& supply, Workers& workers, ring::Producer& ring, Recipient recipient, plan::Schedule schedule,
           books::Ledger ledger, Events events)
    : supply_(supply),
      workers_(workers),
      ring_(ring),
      bell_after_(slots_per_bell(ring)),
      recipient_(std::move(recipient)),
      schedule_(schedule),
      events_(std::move(events)),
      begun_(!ring.shared()),
      ledger_(std::move(ledger)),
      panes_(supply.panes_of(recipient_.stream)),
      arrivals_(supply.arrivals()),
      batches_(ring.slots()) {}

void Feed::pump() {
  std::vector<std::uint32_t> assigned;
  {
    const Lock lock(mutex_);
    assigned = assign();
  }
  fill(std::move(assigned));
}

bool Feed::has_returns() const {
  const Lock lock(mutex_);
  return state_ != State::closed && ring_.has_returns();
}

bool Feed::wants_pump() const {
  const Lock lock(mutex_);
  return state_ != State::closed && (ring_.has_returns() || (begun_ && relies_on_bell() && !ring_.bell_is_armed()));
}

void Feed::collect() {
  std::vector<ring::Returned> returned;
  for (bool done = false; !done;) try {
      ring_.collect(returned);
      done = true;
    } catch (const ring::ProtocolViolation& violation) {
      events_.violation(violation.replica, violation.what());
      if (!ring_.shared()) {
        state_ = State::closed;
        break;  // what it gave back properly before that counts
      }
      ring_.drop(violation.replica);  // the others go on
    }
  if (returned.empty()) return;
  const auto now = Clock::now();
  last_sign_ = now;
  if (full_since_) full_seconds_ += seconds_between(*full_since_, now);
  full_since_.reset();
  for (const auto& entry : returned) {
    const auto& batch = batches_[entry.slot];
    // What was leased before a seek is of a count that has ended.
    if (!entry.consumed || batch.generation != generation_) continue;
    if (const auto complete = ledger_.released(batch.step, batch.rows, batch.hash, batch.wrong))
      events_.epoch_done(report(*complete));
  }
}

std::vector<std::uint32_t> Feed::assign() {
  std::vector<std::uint32_t> assigned;
  if (state_ == State::closed || !begun_) return assigned;
  collect();
  while (const auto slot = assign_one()) assigned.push_back(*slot);
  tell_window();
  wait_for_bell();
  return assigned;
}

std::optional<std::uint32_t> Feed::assign_one() {
  if (state_ != State::serving) return std::nullopt;
  if (ledger_.at_end()) {
    if (!queue_.empty()) return std::nullopt;  // the end has its turn, too
    ring_.publish_end(generation_);
    state_ = State::at_end;
    return std::nullopt;
  }
  if (!enter_epoch(ledger_.coming()->epoch)) return std::nullopt;
  const auto number = ring_.take_free();
  if (!number) return std::nullopt;
  if (arrivals_ != nullptr && !has_arrived(*ledger_.coming())) {
    ring_.give_back(*number);
    return std::nullopt;
  }
  const auto windows = panes_ != nullptr ? enter_windows(*ledger_.coming()) : std::nullopt;
  if (panes_ != nullptr && !windows) {
    ring_.give_back(*number);
    return std::nullopt;
  }
  const auto step = ledger_.next();
  auto& batch = batches_[*number];
  batch = Batch{.step = *step, .generation = generation_};
  batch.share = schedule_.share(step->step, recipient_.rank);
  batch.rows = batch.share.rows;
  batch.filled = batch.share.rows + batch.share.padding;
  batch.order = order_;
  batch.strata = strata_;
  batch.windows = windows;
  if (recipient_.order == plan::RowOrder::shuffled)
    batch.row_order = plan::batch_key(plan::epoch_key(recipient_.seed, recipient_.stream_name, step->epoch), step->step,
                                      recipient_.rank);
  queue_.push_back(*number);
  ++under_way_;
  return number;
}

bool Feed::relies_on_bell() const {
  // While a slot is being filled nobody needs to ring: who fills it looks again when it is done. Nor before it is known
  // what an epoch has: whoever learns it pumps.
  if (state_ == State::closed || under_way_ > 0) return false;
  return state_ != State::serving || ledger_.at_end() || !epoch_ || strata_ != nullptr;
}

void Feed::wait_for_bell() {
  if (!relies_on_bell()) return;
  // Who waits for a window wants what comes back all the same: it may be what keeps the former one in memory.
  if (!full_since_ && !window_closed_) full_since_ = Clock::now();
  // At the end there is nothing to fill: one bell, when all is back.
  const auto after = ledger_.at_end() ? std::max(1u, ring_.with_trainer()) : bell_after_;
  if (!ring_.arm_bell(after)) workers_.post([self = shared_from_this()] { self->pump(); });
}

/// Whether batches of the epoch can be planned; else pump() comes once they can.
bool Feed::enter_epoch(std::uint64_t epoch) {
  if (epoch_ == epoch && strata_) return true;
  if (epoch_ != epoch) {
    epoch_ = epoch;
    const auto& facts = supply_.blueprint().streams[recipient_.stream];
    order_ = facts.epoch_order(recipient_.seed, epoch);
    if (facts.epochs == 0 || epoch + 1 < facts.epochs) supply_.prepare(recipient_.stream, epoch + 1);
  }
  strata_ = supply_.strata(recipient_.stream, epoch, [self = shared_from_this()] { self->pump(); });
  return strata_ != nullptr;
}

Target Feed::target(std::uint32_t slot) const {
  Target target{ring_.index(slot), {}};
  for (std::size_t f = 0; f < supply_.blueprint().schema.size(); ++f) target.fields.push_back(ring_.field(slot, f));
  return target;
}

void Feed::fill(std::vector<std::uint32_t> assigned) {
  while (!assigned.empty()) {
    const auto number = assigned.front();
    spread(std::span(assigned).subspan(1));
    const auto& batch = batches_[number];  // the filler's own until filled()
    const bool complete =
        supply_.fill({recipient_.stream, batch.share, batch.order, batch.row_order,
                      recipient_.order == plan::RowOrder::drawn, batch.step.epoch, batch.strata},
                     target(number), [self = shared_from_this(), number] { self->spread(self->filled(number)); });
    if (!complete) return;
    assigned = filled(number);
  }
}

void Feed::spread(std::span<const std::uint32_t> assigned) {
  for (const auto number : assigned) workers_.post([self = shared_from_this(), number] { self->fill({number}); });
}

std::vector<std::uint32_t> Feed::filled(std::uint32_t number) {
  settle(number);
  std::vector<std::uint32_t> more;
  std::function<void()> idle;
  std::optional<Panes::Span> windows;
  {
    const Lock lock(mutex_);
    batches_[number].done = true;
    --under_way_;
    windows = std::exchange(batches_[number].windows, std::nullopt);
    hand_over();
    more = assign();
    if (state_ == State::closed && under_way_ == 0) idle = std::exchange(on_idle_, nullptr);
  }
  if (windows) panes_->leave(recipient_.stream, *windows);
  if (idle) idle();
  return more;
}

void Feed::settle(std::uint32_t number) {
  auto& batch = batches_[number];
  const auto* index = ring_.index(number);
  batch.hash = hash_samples({index, batch.rows});
  if (recipient_.full_audit) batch.wrong = count_wrong(batch, index);
}

std::uint64_t Feed::count_wrong(const Batch& batch, const std::int64_t* index) const {
  // Not by the way the batch was planned, but backwards: sample -> ordinal -> position, which must be one of the share,
  // each once.
  const auto& blueprint = supply_.blueprint();
  const auto& sets = batch.strata->sets();
  std::vector<bool> seen(batch.rows);
  std::uint64_t wrong = 0;
  for (std::uint32_t i = 0; i < batch.rows; ++i) {
    const auto sample = static_cast<std::uint64_t>(index[i]);
    const auto holder = index[i] >= 0 ? blueprint.placement.holder(sample) : std::nullopt;
    // Where the data decide, other nodes' members are known to them alone; the sums of the audit hold for those.
    if (holder && std::ranges::any_of(sets, [&](const auto& set) { return !set.known(*holder); })) continue;
    wrong += !holder || !is_of(batch, sample, *holder, seen);
  }
  return wrong;
}

/// Takes one of the sample's positions in the share that nobody has taken yet.
bool Feed::is_of(const Batch& batch, std::uint64_t sample, std::uint32_t holder, std::vector<bool>& seen) const {
  const auto& strata = *batch.strata;
  bool found = false;
  const auto take = [&](std::uint64_t position) {
    if (found || position < batch.share.first || position - batch.share.first >= batch.rows) return;
    auto taken = seen[position - batch.share.first];
    found = !taken;
    taken = true;
  };
  for (std::uint32_t s = 0; s < strata.sets().size() && !found; ++s) {
    const auto& set = strata.sets()[s];
    if (!set.contains(holder, sample)) continue;
    const auto first = strata.first_of_set(s) + set.ordinal(holder, sample);
    for (auto ordinal = first; ordinal < first + set.copies(holder, sample) && !found; ++ordinal)
      if (batch.order)
        batch.order->positions(ordinal, take);
      else
        take(ordinal);
  }
  return found;
}

void Feed::hand_over() {
  while (!queue_.empty() && batches_[queue_.front()].done) {
    const auto number = queue_.front();
    queue_.pop_front();
    const auto& batch = batches_[number];
    if (state_ == State::closed || batch.generation != generation_)
      ring_.give_back(number);
    else
      ring_.publish(number, {.generation = batch.generation,
                             .epoch = batch.step.epoch,
                             .step = batch.step.step,
                             .rows = batch.rows,
                             .filled = batch.filled});
  }
}

std::vector<books::Tally> Feed::seek(std::uint32_t generation, books::Step to, std::uint32_t taken) {
  std::vector<books::Tally> unfinished;
  {
    const Lock lock(mutex_);
    if (state_ == State::closed) return {};
    require(generation > generation_,
            "a seek of generation " + std::to_string(generation) + " came after one of " + std::to_string(generation_));
    require(to.step < schedule_.steps() && to.epoch <= last_epoch,
            "a seek to epoch " + std::to_string(to.epoch) + ", step " + std::to_string(to.step) + ", which cannot be");
    collect();
    if (state_ == State::closed) return {};
    generation_ = generation;
    if (ring_.shared()) ring_.lead(generation, taken);
    state_ = State::serving;
    unfinished = ledger_.seek(to);
    tell_window();
    hand_over();
  }
  workers_.post([self = shared_from_this()] { self->pump(); });
  return unfinished;
}

void Feed::close(std::function<void()> on_idle) {
  {
    const Lock lock(mutex_);
    if (state_ != State::closed) collect();  // what the trainer released before it went counts
    state_ = State::closed;
    hand_over();
    if (under_way_ > 0) {
      on_idle_ = std::move(on_idle);
      return;
    }
  }
  on_idle();
}

EpochReport Feed::report(const books::Tally& tally) {
  const auto now = Clock::now();
  const double trainer_wait = static_cast<double>(ring_.stats().wait_ns) / 1e9;
  // Where replica 0 has gone, another one's is less than was reported.
  EpochReport report{tally, seconds_between(epoch_begin_, now), std::max(0.0, trainer_wait - reported_trainer_wait_),
                     full_seconds_ - reported_stager_wait_};
  epoch_begin_ = now;
  reported_trainer_wait_ = trainer_wait;
  reported_stager_wait_ = full_seconds_;
  return report;
}

books::Ledger Feed::ledger() const {
  const Lock lock(mutex_);
  return ledger_;
}

books::Step Feed::position() const {
  const Lock lock(mutex_);
  return ledger_.position();
}

double Feed::stager_wait() const {
  const Lock lock(mutex_);
  return full_seconds_;
}

ring::TrainerStats Feed::ring_stats() const {
  const Lock lock(mutex_);
  return ring_.stats();
}

ring::TrainerStats Feed::ring_stats(std::uint32_t replica) const {
  const Lock lock(mutex_);
  return ring_.stats(replica);
}

ipc::Fd Feed::join(std::uint32_t replica) {
  const Lock lock(mutex_);
  return ring_.join(replica);
}

void Feed::begin() {
  const Lock lock(mutex_);
  begun_ = true;
}

void Feed::drop(std::uint32_t replica) {
  const Lock lock(mutex_);
  if (state_ != State::closed) collect();  // what it gave back before it went counts
  ring_.drop(replica);
}

double Feed::idle_seconds() const {
  const Lock lock(mutex_);
  // Not before all slots were its: until then it may have waited for us.
  return full_since_ && state_ == State::serving ? seconds_between(std::max(last_sign_, *full_since_), Clock::now())
                                                 : 0;
}

}  // namespace headrace::service::delivery
