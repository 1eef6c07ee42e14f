#include "service/delivery/supply.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "base/contract.hpp"
#include "base/copy_rows.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"
#include "exchange/answer.hpp"

namespace headrace::service::delivery {

namespace {

// Where the thread that owns MPI shares a core with a worker, peers wait for as long as the worker copies at a stretch:
// after so much it offers the core.
constexpr std::size_t bytes_per_turn = 512 << 10;

/// Memory that each worker keeps from batch to batch.
struct Scratch {
  plan::BatchPlanner planner;
  std::vector<std::int64_t> samples;
  std::vector<std::uint32_t> rows;
  std::vector<std::uint64_t> order;
  std::vector<std::uint32_t> places;
};

Scratch& scratch() {
  thread_local Scratch mine;
  return mine;
}

/// Collects fetches of one node until one is full.
class FetchBuilder {
 public:
  FetchBuilder(std::uint32_t stream, std::uint64_t epoch, const Schema& schema, const Target& target,
               std::span<const std::uint32_t> places, std::size_t rows_per_answer)
      : stream_(stream),
        epoch_(epoch),
        schema_(schema),
        target_(target),
        places_(places),
        rows_per_answer_(rows_per_answer) {}

  void add(int peer, const plan::Piece& piece, std::span<const std::uint64_t> ordinals, std::uint64_t first_ordinal) {
    for (std::uint32_t done = 0; done < piece.rows;) {
      auto& fetch = open(peer);
      const auto room = rows_per_answer_ - rows_;
      const auto rows = std::min<std::uint32_t>(piece.rows - done, static_cast<std::uint32_t>(room));
      append(fetch, piece.run, piece.first_row + done, ordinals.subspan(done, rows), first_ordinal);
      done += rows;
    }
  }
  std::vector<exchange::Fetch> take() { return std::move(fetches_); }

 private:
  exchange::Fetch& open(int peer) {
    if (fetches_.empty() || fetches_.back().peer != peer || rows_ == rows_per_answer_ ||
        !exchange::fits(fetches_.back().request.segments.size() + 1, rows_per_answer_)) {
      fetches_.push_back({peer, {stream_, {}, {}, epoch_}, {}, nullptr});
      rows_ = 0;
    }
    return fetches_.back();
  }

  void append(exchange::Fetch& fetch, std::uint32_t run, std::uint32_t row, std::span<const std::uint64_t> ordinals,
              std::uint64_t first_ordinal) {
    const auto rows = static_cast<std::uint32_t>(ordinals.size());
    fetch.request.segments.push_back({run, rows});
    for (const auto ordinal : ordinals)
      fetch.request.ordinals.push_back(static_cast<std::uint32_t>(ordinal - first_ordinal));
    add_blocks(fetch, reinterpret_cast<std::byte*>(target_.index), sizeof(std::int64_t), row, rows);
    for (std::size_t f = 0; f < schema_.size(); ++f)
      add_blocks(fetch, target_.fields[f], schema_[f].row_bytes(), row, rows);
    rows_ += rows;
  }

  /// Where the rows of one array go.
  void add_blocks(exchange::Fetch& fetch, std::byte* array, std::size_t bytes, std::uint32_t row,
                  std::uint32_t rows) const {
    if (bytes == 0) return;
    if (places_.empty()) {
      fetch.into.push_back({array + row * bytes, rows * bytes});
      return;
    }
    for (const auto place : places_.subspan(row, rows)) fetch.into.push_back({array + place * bytes, bytes});
  }

  std::uint32_t stream_;
  std::uint64_t epoch_;
  const Schema& schema_;
  const Target& target_;
  std::span<const std::uint32_t> places_;
  std::size_t rows_per_answer_, rows_ = 0;
  std::vector<exchange::Fetch> fetches_;
};

}  // namespace

class Supply::Parts {
 public:
  /// One part, that of whoever makes this.
  explicit Parts(std::function<void()> done) : done_(std::move(done)) {}

  /// More parts are asked for. relaxed: whoever asks for them has a part in hand itself.
  void expect(std::size_t parts) { left_.fetch_add(parts, std::memory_order_relaxed); }
  /// One part is there: whether it was the last. Release and acquire in one: whoever is last has seen the rows of all
  /// others.
  bool came() { return left_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  void done() const { done_(); }
  void come() {
    if (came()) done();
  }

 private:
  std::atomic<std::size_t> left_ = 1;
  std::function<void()> done_;
};

std::span<const std::uint32_t> Supply::places_of(const Order& wanted, const plan::BatchPlan& plan) {
  if (wanted.drawn) return plan.drawn;
  auto& places = scratch().places;
  places.clear();
  if (!wanted.row_order) return places;
  auto& order = scratch().order;
  order.resize(wanted.share.rows);
  plan::Permutation(wanted.share.rows, *wanted.row_order).evaluate(0, order);
  for (const auto place : order) places.push_back(static_cast<std::uint32_t>(place));
  for (std::uint32_t i = 0; i < wanted.share.padding; ++i) places.push_back(wanted.share.rows + i);
  return places;
}

std::shared_ptr<const plan::Strata> Supply::strata(std::uint32_t stream, std::uint64_t epoch,
                                                   const std::function<void()>& ready) const {
  if (draws_ && draws_->changes(stream, epoch)) return draws_->strata(stream, epoch, ready);
  return {std::shared_ptr<void>(), &blueprint_.strata[stream]};  // that of all epochs, which outlives everybody
}

std::shared_ptr<const plan::Strata> Supply::here(std::uint32_t stream, std::uint64_t epoch) const {
  if (draws_ && draws_->changes(stream, epoch)) return draws_->here(stream, epoch);
  return {std::shared_ptr<void>(), &blueprint_.strata[stream]};
}

void Supply::prepare(std::uint32_t stream, std::uint64_t epoch) const {
  if (draws_ && draws_->changes(stream, epoch)) draws_->prepare(stream, epoch);
}

void Supply::locate(const Rows& wanted) const {
  scratch().samples.resize(wanted.ordinals.size());
  scratch().rows.resize(wanted.ordinals.size());
  // Located in memory of our own and copied out: what stands in a slot may change under our eyes.
  if (const auto* panes = panes_of(wanted.stream)) {
    // Such a stream has one set of samples, whose ordinals are those of its windows.
    wanted.strata.sets().front().samples(wanted.strata.stager_of(wanted.run), wanted.ordinals, scratch().samples);
    return panes->locate(wanted.stream, wanted.epoch, wanted.ordinals, scratch().rows);
  }
  blueprint_.placement.locate(wanted.strata, wanted.run, wanted.ordinals, scratch().samples, scratch().rows);
}

void Supply::gather(const Rows& wanted, std::byte* index, std::span<std::byte* const> fields, Reuse reuse,
                    const SharedParts& parts) const {
  locate(wanted);
  const auto& samples = scratch().samples;
  std::memcpy(index, samples.data(), samples.size() * sizeof(std::int64_t));
  const auto local = wanted.strata.stager_of(wanted.run) - topology_.here().first;
  const std::span<const std::uint32_t> rows = scratch().rows;
  const auto here = store_.in_memory(local, rows);
  if (here < rows.size()) {  // first: the disk works while rows of the memory are copied
    std::vector<std::byte*> behind(fields.begin(), fields.end());
    for (std::size_t f = 0; f < behind.size(); ++f) behind[f] += here * blueprint_.schema[f].row_bytes();
    read_scratch(wanted, here, {}, behind, parts);
  }
  for (std::size_t f = 0; f < fields.size(); ++f)
    copy_rows(store_.column(local, f), blueprint_.schema[f].row_bytes(), rows.first(here), fields[f], reuse);
}

void Supply::scatter(const Rows& wanted, std::span<const std::uint32_t> places, const Target& target,
                     const SharedParts& parts) const {
  locate(wanted);
  const auto& samples = scratch().samples;
  for (std::size_t i = 0; i < places.size(); ++i)
    std::memcpy(target.index + places[i], &samples[i], sizeof(std::int64_t));
  const auto local = wanted.strata.stager_of(wanted.run) - topology_.here().first;
  const std::span<const std::uint32_t> rows = scratch().rows;
  const auto here = store_.in_memory(local, rows);
  if (here < rows.size()) read_scratch(wanted, here, places.subspan(here), target.fields, parts);
  for (std::size_t f = 0; f < target.fields.size(); ++f)
    copy_rows(store_.column(local, f), blueprint_.schema[f].row_bytes(), rows.first(here), places.first(here),
              target.fields[f], Reuse::later);
}

void Supply::read_scratch(const Rows& wanted, std::size_t first, std::span<const std::uint32_t> places,
                          std::span<std::byte* const> fields, const SharedParts& parts) const {
  const auto local = wanted.strata.stager_of(wanted.run) - topology_.here().first;
  parts->expect(1);
  readers_->read(local,
                 {.rows = std::span<const std::uint32_t>(scratch().rows).subspan(first),
                  .first_row = static_cast<std::uint32_t>(store_.layout().rows(local)),
                  .places = places,
                  .fields = fields},
                 [parts] { parts->come(); });
}

bool Supply::fill(const Order& order, const Target& target, std::function<void()> done) const {
  const auto& strata = strata_of(order);
  const auto& plan = scratch().planner(order.share, order.epoch_order.get(), strata.first_ordinals(), order.drawn);
  // Requests leave first, so that they travel while this node's rows are copied.
  const auto places = places_of(order, plan);
  const bool all_in_memory_here = is_whole() && readers_ == nullptr;
  const auto parts = all_in_memory_here ? nullptr : std::make_shared<Parts>(std::move(done));
  if (!is_whole()) ask_other_nodes(order, plan, places, target, parts);
  for (const auto& piece : plan.pieces)
    if (topology_.is_here(strata.stager_of(piece.run))) gather_piece(order, piece, plan, places, target, parts);
  return !parts || parts->came();
}

void Supply::gather_piece(const Order& order, const plan::Piece& piece, const plan::BatchPlan& plan,
                          std::span<const std::uint32_t> places, const Target& target, const SharedParts& parts) const {
  const auto& strata = strata_of(order);
  const auto turn = static_cast<std::uint32_t>(std::max<std::size_t>(1, bytes_per_turn / answer_row_bytes()));
  std::vector<std::byte*> fields(target.fields.size());
  for (std::uint32_t row = 0; row < piece.rows; row += turn) {
    const auto planned = piece.first_row + row, rows = std::min(piece.rows - row, turn);
    const Rows wanted{strata, order.stream, piece.run, order.epoch, std::span(plan.ordinals).subspan(planned, rows)};
    if (places.empty()) {  // rows stand in the order of the plan
      for (std::size_t f = 0; f < fields.size(); ++f)
        fields[f] = target.fields[f] + planned * blueprint_.schema[f].row_bytes();
      gather(wanted, reinterpret_cast<std::byte*>(target.index + planned), fields, Reuse::later, parts);
    } else {
      scatter(wanted, places.subspan(planned, rows), target, parts);
    }
    if (!is_whole()) std::this_thread::yield();
  }
}

void Supply::ask_other_nodes(const Order& order, const plan::BatchPlan& plan, std::span<const std::uint32_t> places,
                             const Target& target, const SharedParts& parts) const {
  auto fetches = remote_fetches(order, plan, places, target);
  parts->expect(fetches.size());
  for (auto& fetch : fetches) {
    fetch.arrived = [parts] { parts->come(); };
    engine_->fetch(std::move(fetch));
  }
}

std::vector<exchange::Fetch> Supply::remote_fetches(const Order& order, const plan::BatchPlan& plan,
                                                    std::span<const std::uint32_t> places, const Target& target) const {
  const auto& strata = strata_of(order);
  const auto first = strata.first_ordinals();
  FetchBuilder builder(order.stream, order.epoch, blueprint_.schema, target, places,
                       exchange::rows_per_answer(engine_->settings().answer_bytes, answer_row_bytes()));
  for (const auto& piece : plan.pieces) {
    const auto stager = strata.stager_of(piece.run);
    if (topology_.is_here(stager)) continue;
    // Any stager of a node can read all its stores; ours asks the one of its own number, which spreads the load.
    const auto& node = topology_.nodes[topology_.node_of(stager)];
    const auto peer = narrow<int>(node.first + topology_.local() % node.stagers);
    builder.add(peer, piece, std::span(plan.ordinals).subspan(piece.first_row, piece.rows), first[piece.run]);
  }
  return builder.take();
}

exchange::Packed Supply::pack(const exchange::Request& request, std::span<std::byte> out,
                              exchange::Answers::Done done) const {
  const auto bad = "another stager asks for rows that this one does not have; do all run the same version and files?";
  require(request.stream < blueprint_.strata.size(), bad);
  require(request.ordinals.size() * answer_row_bytes() <= out.size(), bad);
  const auto held = here(request.stream, request.epoch);
  const auto first = held->first_ordinals();
  std::vector<std::uint64_t> ordinals;
  std::vector<std::byte*> fields(blueprint_.schema.size());
  SharedParts parts;
  if (readers_ != nullptr)
    parts = std::make_shared<Parts>(
        [done = std::move(done), bytes = request.ordinals.size() * answer_row_bytes()] { done(bytes); });
  std::size_t used = 0, at = 0;
  for (const auto& segment : request.segments) {
    require(segment.run < first.size() - 1 && topology_.is_here(held->stager_of(segment.run)), bad);
    const auto base = first[segment.run], count = first[segment.run + 1] - base;
    ordinals.clear();
    for (std::uint32_t i = 0; i < segment.rows; ++i) {
      const auto ordinal = base + request.ordinals[at + i];
      // Ascending, as locate() needs them; padding and mixes may name one twice.
      require(request.ordinals[at + i] < count && (i == 0 || ordinals.back() <= ordinal), bad);
      ordinals.push_back(ordinal);
    }
    at += segment.rows;
    auto* index = out.data() + used;
    used += segment.rows * sizeof(std::int64_t);
    for (std::size_t f = 0; f < fields.size(); ++f) {
      fields[f] = out.data() + used;
      used += segment.rows * blueprint_.schema[f].row_bytes();
    }
    gather({*held, request.stream, segment.run, request.epoch, ordinals}, index, fields, Reuse::soon, parts);
  }
  return {.bytes = used, .complete = !parts || parts->came()};
}

}  // namespace headrace::service::delivery
