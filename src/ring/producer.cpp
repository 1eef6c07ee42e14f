#include "ring/producer.hpp"

#include <algorithm>
#include <new>

#include "base/bytes.hpp"
#include "base/contract.hpp"
#include "base/narrow.hpp"
#include "ipc/futex.hpp"

namespace headrace::ring {

// READY, FREED, SLEEP and BELL name the memory orders, as PROTOCOL.md ("Memory orders") explains them.

std::uint64_t Producer::ring_bytes(const Schema& schema, std::uint32_t batch, std::uint32_t slots) {
  return Offsets(schema.size()).slots + slots * SlotLayout(schema, batch).bytes();
}

Producer::Producer(const std::string& name, Schema schema, std::uint64_t bytes, unsigned threads,
                   std::uint32_t replicas, const ipc::BeforeTaking& tell)
    : schema_(std::move(schema)), memfd_(ipc::make_memfd(name, round_up(bytes, page_bytes))), replicas_(replicas) {
  EXPECTS(replicas >= 1 && replicas <= most_replicas);
  require(bytes > Offsets(schema_.size()).slots,
          "a ring of " + format_bytes(bytes) + " has no room for batches; give it more");
  const auto whole = round_up(bytes, page_bytes);
  memory_ = ipc::Mapping::map(memfd_, whole);
  ipc::reserve(memfd_, 0, memory_.span(), threads, tell);
  // Our own map is there already, and stays writable.
  shared() ? ipc::seal_against_writers(memfd_) : ipc::seal(memfd_);
  view_ = View(memory_.data(), schema_.size());
}

std::uint32_t Producer::configure(std::uint32_t batch, std::uint32_t generation, std::uint32_t most) {
  EXPECTS(filling() == 0 && with_trainer() == 0 && generation >= 1);
  SlotLayout layout(schema_, batch);
  const auto room = memory_.size() - view_.at().slots;
  const auto slots = std::min<std::uint64_t>(room / layout.bytes(), std::min(most, queue_capacity));
  require(slots >= 1, "a batch of " + std::to_string(batch) + " rows takes " + format_bytes(layout.bytes()) +
                          ", but the ring of this trainer has " + format_bytes(room) +
                          "; use a smaller batch, or the number of trainers that the service was configured for");
  layout_ = std::move(layout);
  states_.assign(slots, Slot{});
  free_.clear();
  for (auto slot = static_cast<std::uint32_t>(slots); slot-- > 0;) free_.push_back(slot);
  with_trainer_ = 0;
  lapsed_.clear();
  lanes_.clear();
  lanes_.resize(replicas_);
  led_generation_ = generation;
  write_header(generation);
  if (!shared()) lanes_[0].lane.emplace(view_, this->slots());
  return this->slots();
}

void Producer::write_header(std::uint32_t generation) {
  const auto& at = view_.at();
  Header& header = view_.header();
  header = {.magic = ring_magic,
            .version = protocol_version,
            .header_bytes = sizeof(Header),
            .bytes = memory_.size(),
            .slots = slots(),
            .batch = layout_->batch(),
            .slot_bytes = layout_->bytes(),
            .fields = narrow<std::uint32_t>(schema_.size()),
            .generation = generation,
            .index_offset = layout_->index_offset(),
            .control_offset = at.control,
            .ready_offset = at.ready,
            .freed_offset = at.freed,
            .slots_offset = at.slots};
  for (std::size_t i = 0; i < schema_.size(); ++i) view_.field_offsets()[i] = layout_->field_offset(i);
  // All zero; the next trainer maps the ring after a message that tells it to.
  new (&view_.control()) Control{};
  if (!shared()) return;
  for (std::uint32_t k = 0; k < queue_capacity; ++k) view_.cut(k).store(0, std::memory_order_relaxed);
  view_.lead().generation.store(generation, std::memory_order_relaxed);
}

std::optional<std::uint32_t> Producer::take_free() {
  if (free_.empty()) return std::nullopt;
  const auto slot = free_.back();
  free_.pop_back();
  states_[slot].where = Where::filling;
  return slot;
}

void Producer::give_back(std::uint32_t slot) {
  EXPECTS(slot < slots() && states_[slot].where == Where::filling);
  states_[slot].where = Where::free;
  free_.push_back(slot);
}

template <class Call>
void Producer::each_lane(Call call) {
  for (std::uint32_t replica = 0; replica < lanes_.size(); ++replica)
    if (lanes_[replica].lane) call(replica, *lanes_[replica].lane);
}

void Producer::publish(std::uint32_t slot, const Batch& batch) {
  EXPECTS(slot < slots() && states_[slot].where == Where::filling);
  EXPECTS(batch.rows <= batch.filled && batch.filled <= layout_->batch() && batch.generation >= 1);
  auto& state = states_[slot] = {.where = Where::trainer, .batch = batch};
  ++with_trainer_;
  each_lane([&](std::uint32_t, Lane& lane) {
    ++state.shares;
    lane.publish(slot, batch);
  });
  if (state.shares == 0) {  // all replicas are gone
    state.shares = 1;
    let_go(slot, false, lapsed_);
  }
}

void Producer::publish_end(std::uint32_t generation) {
  EXPECTS(generation >= 1);
  each_lane([&](std::uint32_t, Lane& lane) { lane.publish_end(generation); });
}

void Producer::let_go(std::uint32_t number, bool consumed, std::vector<Returned>& returned) {
  auto& slot = states_[number];
  slot.consumed = slot.consumed || consumed;
  if (--slot.shares > 0) return;
  slot.where = Where::free;
  free_.push_back(number);
  --with_trainer_;
  returned.push_back({number, slot.consumed, slot.batch});
}

std::size_t Producer::collect(std::vector<Returned>& returned) {
  const auto before = returned.size();
  returned.insert(returned.end(), lapsed_.begin(), lapsed_.end());
  lapsed_.clear();
  each_lane([&](std::uint32_t replica, Lane& lane) {
    try {
      std::uint32_t slot = 0;
      bool consumed = false;
      while (lane.take(slot, consumed)) let_go(slot, consumed, returned);
    } catch (ProtocolViolation& violation) {
      violation.replica = replica;
      throw;
    }
  });
  return returned.size() - before;
}

bool Producer::arm_bell(std::uint32_t after) {
  EXPECTS(after >= 1);
  bool all = true;
  each_lane([&](std::uint32_t, Lane& lane) {
    // One that has less out than others rings when all of it is back.
    all = lane.arm_bell(shared() ? std::clamp(lane.out(), 1u, after) : after) && all;
  });
  return all;
}

bool Producer::bell_is_armed() const {
  return std::ranges::all_of(lanes_, [](const Joined& one) { return !one.lane || one.lane->bell_is_armed(); });
}

bool Producer::has_returns() const {
  return !lapsed_.empty() ||
         std::ranges::any_of(lanes_, [](const Joined& one) { return one.lane && one.lane->has_returns(); });
}

void Producer::disarm_bell() {
  each_lane([](std::uint32_t, Lane& lane) { lane.disarm_bell(); });
}

std::vector<Batch> Producer::reclaim_all() {
  std::vector<Batch> lost;
  for (std::uint32_t number = 0; number < slots(); ++number) {
    auto& slot = states_[number];
    if (slot.where != Where::trainer) continue;
    slot.where = Where::free;
    free_.push_back(number);
    lost.push_back(slot.batch);
  }
  with_trainer_ = 0;
  each_lane([](std::uint32_t, Lane& lane) { lane.forget(); });
  lapsed_.clear();
  return lost;
}

TrainerStats Producer::stats() const {
  for (const auto& one : lanes_)
    if (one.lane) return one.lane->stats();
  return {};
}

TrainerStats Producer::stats(std::uint32_t replica) const {
  return replica < lanes_.size() && lanes_[replica].lane ? lanes_[replica].lane->stats() : TrainerStats{};
}

// ---- replicas -----------------------------------------------------------------------------------------------------

ipc::Fd Producer::join(std::uint32_t replica) {
  EXPECTS(shared() && replica < replicas_ && !lanes_[replica].lane && with_trainer() == 0);
  auto memfd = ipc::make_memfd("headrace-lane", lane_bytes);
  auto& one = lanes_[replica];
  one.memory = ipc::Mapping::map(memfd, lane_bytes);
  ipc::reserve(memfd, 0, one.memory.span(), 1);
  ipc::seal(memfd);
  const View view(memory_.data(), schema_.size(), one.memory.data());
  new (&view.control()) Control{};
  one.lane.emplace(view, slots());
  view_.lead().came.fetch_add(1, std::memory_order_relaxed);  // relaxed: for a text
  return memfd;
}

void Producer::drop(std::uint32_t replica) {
  EXPECTS(shared() && replica < replicas_);
  auto& one = lanes_[replica];
  if (!one.lane) return;
  for (std::uint32_t slot = 0; slot < slots(); ++slot)
    if (one.lane->has(slot)) let_go(slot, false, lapsed_);
  one.lane.reset();
  one.memory = {};
  if (replica != 0) return;
  view_.lead().gone.store(1, std::memory_order_seq_cst);  // LEAD: whoever waits for the word below looks at it, too
  ipc::futex_wake(view_.lead().generation);
}

void Producer::lead(std::uint32_t generation, std::uint32_t taken) {
  EXPECTS(shared() && generation > led_generation_);
  // relaxed: LEAD publishes them. Of more generations than the table holds the last ones count.
  const auto fresh = std::min(generation - led_generation_, queue_capacity);
  for (auto g = generation - fresh + 1; g != generation + 1; ++g)
    view_.cut(g).store(std::uint64_t{g} << 32 | taken, std::memory_order_relaxed);
  led_generation_ = generation;
  view_.lead().generation.store(generation, std::memory_order_seq_cst);  // LEAD
  ipc::futex_wake(view_.lead().generation);
}

}  // namespace headrace::ring
