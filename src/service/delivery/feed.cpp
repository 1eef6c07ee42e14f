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

Feed::Feed(const Supply& supply, Workers& workers, ring::Producer& ring, Place place, plan::Schedule schedule,
           books::Ledger ledger, Events events)
    : supply_(supply),
      workers_(workers),
      ring_(ring),
      bell_after_(slots_per_bell(ring)),
      place_(std::move(place)),
      schedule_(schedule),
      events_(std::move(events)),
      ledger_(std::move(ledger)),
      slots_(ring.slots()) {}

void Feed::pump() {
  std::vector<std::uint32_t> assigned;
  {
    const std::lock_guard lock(mutex_);
    assigned = assign();
  }
  fill(std::move(assigned));
}

bool Feed::has_returns() const {
  const std::lock_guard lock(mutex_);
  return !closed_ && ring_.has_returns();
}

void Feed::collect() {
  std::vector<ring::Returned> returned;
  try {
    ring_.collect(returned);
  } catch (const ring::ProtocolViolation& violation) {
    closed_ = true;
    events_.violation(violation.what());
    return;
  }
  if (returned.empty()) return;
  const auto now = Clock::now();
  last_sign_ = now;
  if (full_) full_seconds_ += seconds_between(full_since_, now);
  full_ = false;
  for (const auto& entry : returned) {
    const auto& slot = slots_[entry.slot];
    // What was leased before a seek is of a count that has ended.
    if (!entry.consumed || slot.generation != generation_) continue;
    if (const auto complete = ledger_.released(slot.step, slot.rows, slot.hash, slot.wrong))
      events_.epoch_done(report(*complete));
  }
}

std::vector<std::uint32_t> Feed::assign() {
  std::vector<std::uint32_t> assigned;
  if (closed_) return assigned;
  collect();
  while (assign_one(assigned)) {
  }
  wait_for_bell();
  return assigned;
}

bool Feed::assign_one(std::vector<std::uint32_t>& assigned) {
  if (closed_ || end_handed_over_) return false;
  if (ledger_.at_end()) {
    if (queue_.empty()) ring_.publish_end(generation_);
    end_handed_over_ = queue_.empty();
    return false;
  }
  const auto number = ring_.take_free();
  if (!number) return false;
  const auto step = ledger_.next();
  auto& slot = slots_[*number];
  slot = Slot{.step = *step, .generation = generation_};
  slot.share = schedule_.share(step->step, place_.rank);
  slot.rows = slot.share.rows;
  slot.filled = slot.share.rows + slot.share.padding;
  slot.permutation = permutation(step->epoch);
  if (place_.order == plan::RowOrder::shuffled)
    slot.row_order =
        plan::batch_key(plan::epoch_key(place_.seed, place_.stream_name, step->epoch), step->step, place_.rank);
  queue_.push_back(*number);
  ++under_way_;
  assigned.push_back(*number);
  return true;
}

void Feed::wait_for_bell() {
  // While a slot is being filled nobody needs to ring: who fills it looks again when it is done.
  if (closed_ || under_way_ > 0) return;
  if (!full_) {
    full_ = true;
    full_since_ = Clock::now();
  }
  // At the end there is nothing to fill: one bell, when all is back.
  const auto after = ledger_.at_end() ? std::max(1u, ring_.with_trainer()) : bell_after_;
  if (!ring_.arm_bell(after)) workers_.post([self = shared_from_this()] { self->pump(); });
}

std::shared_ptr<const plan::Permutation> Feed::permutation(std::uint64_t epoch) {
  if (schedule_.shuffle() == plan::Shuffle::none) return nullptr;
  if (!permutation_ || permutation_epoch_ != epoch) {
    permutation_ = std::make_shared<plan::Permutation>(schedule_.samples(),
                                                       plan::epoch_key(place_.seed, place_.stream_name, epoch));
    permutation_epoch_ = epoch;
  }
  return permutation_;
}

Target Feed::target(std::uint32_t slot) const {
  Target target{ring_.index(slot), {}};
  for (std::size_t f = 0; f < supply_.blueprint().schema.size(); ++f) target.fields.push_back(ring_.field(slot, f));
  return target;
}

void Feed::fill(std::vector<std::uint32_t> assigned) {
  while (!assigned.empty()) {
    const auto number = assigned.front();
    assigned.erase(assigned.begin());
    spread(std::move(assigned));
    const auto& slot = slots_[number];  // the filler's own until filled()
    const bool complete = supply_.fill({place_.stream, slot.share, slot.permutation, slot.row_order}, target(number),
                                       [self = shared_from_this(), number] { self->spread(self->filled(number)); });
    if (!complete) return;
    assigned = filled(number);
  }
}

void Feed::spread(std::vector<std::uint32_t> assigned) {
  for (const auto number : assigned) workers_.post([self = shared_from_this(), number] { self->fill({number}); });
}

std::vector<std::uint32_t> Feed::filled(std::uint32_t number) {
  settle(slots_[number], number);
  std::vector<std::uint32_t> more;
  std::function<void()> idle;
  {
    const std::lock_guard lock(mutex_);
    slots_[number].done = true;
    --under_way_;
    hand_over();
    more = assign();
    if (closed_ && under_way_ == 0) idle = std::exchange(on_idle_, nullptr);
  }
  if (idle) idle();
  return more;
}

void Feed::settle(Slot& slot, std::uint32_t number) const {
  const auto* index = ring_.index(number);
  slot.hash = hash_samples({index, slot.rows});
  if (place_.full_audit) slot.wrong = count_wrong(slot, index);
}

std::uint64_t Feed::count_wrong(const Slot& slot, const std::int64_t* index) const {
  // Not by the way the batch was planned, but backwards: sample -> ordinal -> position, which must be one of the share,
  // each once.
  const auto& blueprint = supply_.blueprint();
  const auto& members = blueprint.members[place_.stream];
  std::vector<bool> seen(slot.rows);
  std::uint64_t wrong = 0;
  for (std::uint32_t i = 0; i < slot.rows; ++i) {
    const auto sample = static_cast<std::uint64_t>(index[i]);
    const auto holder = index[i] >= 0 ? blueprint.placement.holder(sample) : std::nullopt;
    // Where the data decide, other nodes' members are known to them alone; the sums of the audit hold for those.
    if (holder && !members.known(*holder)) continue;
    bool right = holder && members.contains(*holder, sample);
    if (right) {
      const auto ordinal = members.ordinal(*holder, sample);
      const auto position = slot.permutation ? slot.permutation->inverse(ordinal) : ordinal;
      right =
          position >= slot.share.first && position - slot.share.first < slot.rows && !seen[position - slot.share.first];
      if (right) seen[position - slot.share.first] = true;
    }
    wrong += !right;
  }
  return wrong;
}

void Feed::hand_over() {
  while (!queue_.empty() && slots_[queue_.front()].done) {
    const auto number = queue_.front();
    queue_.pop_front();
    const auto& slot = slots_[number];
    if (closed_ || slot.generation != generation_)
      ring_.give_back(number);
    else
      ring_.publish(number, {.generation = slot.generation,
                             .epoch = slot.step.epoch,
                             .step = slot.step.step,
                             .rows = slot.rows,
                             .filled = slot.filled});
  }
}

std::vector<books::Tally> Feed::seek(std::uint32_t generation, books::Step to) {
  std::vector<books::Tally> unfinished;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return {};
    require(generation > generation_,
            "a seek of generation " + std::to_string(generation) + " came after one of " + std::to_string(generation_));
    require(to.step < schedule_.steps() && to.epoch <= last_epoch,
            "a seek to epoch " + std::to_string(to.epoch) + ", step " + std::to_string(to.step) + ", which cannot be");
    collect();
    if (closed_) return {};
    generation_ = generation;
    end_handed_over_ = false;
    unfinished = ledger_.seek(to);
    hand_over();
  }
  workers_.post([self = shared_from_this()] { self->pump(); });
  return unfinished;
}

void Feed::close(std::function<void()> on_idle) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) collect();  // what the trainer released before it went counts
    closed_ = true;
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
  EpochReport report{tally, seconds_between(epoch_begin_, now), trainer_wait - reported_trainer_wait_,
                     full_seconds_ - reported_stager_wait_};
  epoch_begin_ = now;
  reported_trainer_wait_ = trainer_wait;
  reported_stager_wait_ = full_seconds_;
  return report;
}

books::Ledger Feed::ledger() const {
  const std::lock_guard lock(mutex_);
  return ledger_;
}

books::Step Feed::position() const {
  const std::lock_guard lock(mutex_);
  return ledger_.position();
}

double Feed::stager_wait() const {
  const std::lock_guard lock(mutex_);
  return full_seconds_;
}

ring::TrainerStats Feed::ring_stats() const {
  const std::lock_guard lock(mutex_);
  return ring_.stats();
}

double Feed::idle_seconds() const {
  const std::lock_guard lock(mutex_);
  return full_ && !end_handed_over_ ? seconds_between(last_sign_, Clock::now()) : 0;
}

}  // namespace headrace::service::delivery
