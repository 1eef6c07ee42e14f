// Both sides of a ring in one test, and payloads that say which batch, field and row they belong to.
#pragma once

#include <cstring>
#include <optional>
#include <ostream>
#include <vector>

#include "base/hash.hpp"
#include "ring/consumer.hpp"
#include "ring/producer.hpp"

namespace headrace::ring {

inline std::ostream& operator<<(std::ostream& out, Acquired what) {
  constexpr const char* words[] = {"a batch", "nothing", "exhausted", "end"};
  return out << words[static_cast<int>(what)];
}

}  // namespace headrace::ring

namespace ring_test {

using namespace headrace;

inline Schema schema() {
  return {{"x", DType::float64, {3}, {}, {}}, {"odd", DType::uint8, {7}, {}, {}}, {"n", DType::int64, {}, {}, {}}};
}
constexpr std::uint32_t batch_rows = 37;

inline std::uint64_t word(const ring::Batch& batch, std::size_t field, std::size_t at) {
  return sample_hash(sample_hash(sample_hash(batch.epoch) + batch.step) + field) + at;
}

/// Fills every byte of every array of a slot.
inline void write_payload(const ring::Producer& producer, std::uint32_t slot, const ring::Batch& batch) {
  for (std::size_t field = 0; field < producer.schema().size(); ++field) {
    const auto bytes = producer.schema()[field].row_bytes() * batch.filled;
    for (std::uint64_t at = 0; at < bytes; ++at)
      producer.field(slot, field)[at] = static_cast<std::byte>(word(batch, field, at / 8) >> at % 8 * 8);
  }
  for (std::uint32_t row = 0; row < batch.filled; ++row)
    producer.index(slot)[row] = static_cast<std::int64_t>(word(batch, 99, row));
}

inline bool payload_is_right(const ring::Consumer& consumer, const ring::Lease& lease) {
  const ring::Batch batch{.epoch = lease.epoch, .step = lease.step};
  const auto fields = schema();
  for (std::size_t field = 0; field < fields.size(); ++field)
    for (std::uint64_t at = 0; at < fields[field].row_bytes() * lease.filled; ++at)
      if (consumer.field(lease.slot, field)[at] != static_cast<std::byte>(word(batch, field, at / 8) >> at % 8 * 8))
        return false;
  for (std::uint32_t row = 0; row < lease.filled; ++row)
    if (consumer.index(lease.slot)[row] != static_cast<std::int64_t>(word(batch, 99, row))) return false;
  return true;
}

/// A lease is writable: what the trainer leaves behind must not matter.
inline void scribble(const ring::Consumer& consumer, std::uint32_t slot) {
  std::memset(consumer.field(slot, 0), 0xdb, consumer.layout().bytes());
}

inline ring::Producer make_producer(std::uint32_t slots) {
  ring::Producer producer("test-ring", schema(), ring::Producer::ring_bytes(schema(), batch_rows, slots), 1);
  producer.configure(batch_rows, 1);
  return producer;
}

inline ring::Geometry geometry(const ring::Producer& producer, std::uint32_t generation = 1) {
  return {producer.bytes(), producer.slots(), producer.layout().batch(), generation};
}

/// What acquire() came to: compares with a step, or with why there is no batch.
struct Got {
  ring::Acquired what;
  std::optional<std::uint64_t> step;
  bool operator==(ring::Acquired other) const { return what == other; }
  bool operator==(std::uint64_t other) const { return step == other; }
  friend std::ostream& operator<<(std::ostream& out, const Got& got) {
    if (got.step) return out << "step " << *got.step;
    return out << got.what << (got.what == ring::Acquired::batch ? " with a wrong payload" : "");
  }
};

struct Pair {
  ring::Producer producer;
  ipc::Bell bell = ipc::Bell::make();
  ring::Consumer consumer;
  const bool same_address = false;

  explicit Pair(std::uint32_t slots)
      : producer(make_producer(slots)), consumer(producer.fd(), bell.duplicate(), schema(), geometry(producer)) {}
  /// Both sides at one address: a race detector knows memory by its address only.
  struct SameAddress {};
  Pair(std::uint32_t slots, SameAddress)
      : producer(make_producer(slots)), consumer(mapping(producer), bell.duplicate(), schema(), geometry(producer)),
        same_address(true) {}
  ~Pair() {
    if (same_address) consumer.forget_in_child();  // what was mapped once is unmapped once, by the producer
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  static ipc::Mapping mapping(const ring::Producer& producer) {
    return ipc::Mapping::adopt(
        {producer.field(0, 0) - ring::Offsets(producer.schema().size()).slots, producer.bytes()});
  }

  /// Publishes the given step, or says that no slot is free.
  bool publish(std::uint64_t step, std::uint32_t generation = 1, bool last = false) {
    const auto slot = producer.take_free();
    if (!slot) return false;
    const ring::Batch batch{generation, step / 100, step % 100, batch_rows - 1, batch_rows, last};
    write_payload(producer, *slot, batch);
    producer.publish(*slot, batch);
    return true;
  }
  /// The next batch, which stays leased. One with a wrong payload is of no step.
  Got acquire(ring::Lease& lease) {
    const auto what = consumer.try_acquire(lease);
    if (what != ring::Acquired::batch || !payload_is_right(consumer, lease)) return {what, {}};
    return {what, lease.epoch * 100 + lease.step};
  }
  std::vector<ring::Returned> collect() {
    std::vector<ring::Returned> returned;
    producer.collect(returned);
    return returned;
  }
};

}  // namespace ring_test
