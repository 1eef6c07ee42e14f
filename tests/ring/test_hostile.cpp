// A trainer that writes what it likes, where it can; and memory that is not what the service wrote.
#include <fcntl.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <set>
#include <thread>

#include "base/error.hpp"
#include "pair.hpp"
#include "texts.hpp"

using namespace ring_test;

namespace {

/// A numbers that hurts: near the borders of what is allowed, or anything.
std::uint32_t nasty(std::mt19937& random, std::uint32_t slots) {
  switch (random() % 8) {
    case 0:
      return 0;
    case 1:
      return 1;
    case 2:
      return slots - 1;
    case 3:
      return slots;
    case 4:
      return 0xffffffff;
    case 5:
      return 0x80000000;
    case 6:
      return static_cast<std::uint32_t>(random() % (2 * slots));
    default:
      return static_cast<std::uint32_t>(random());
  }
}

/// What a trainer can write to: everything, but only these words are ever read by the stager.
struct Attacker {
  ipc::Mapping memory;
  ring::View view;
  std::uint32_t slots;
  explicit Attacker(const ring::Producer& producer)
      : memory(ipc::Mapping::map(producer.fd(), producer.bytes())),
        view(memory.data(), producer.schema().size()),
        slots(producer.slots()) {}

  void write_one(std::mt19937& random) {
    auto& control = view.control();
    const auto value = nasty(random, slots);
    switch (random() % 10) {
      case 0:
        control.freed_tail = value;
        break;
      case 1:
        control.freed_tail += 1;
        break;
      case 2:
        control.trainer_waiting = value;
        break;
      case 3:
        control.stager_wants_bell = value;
        break;
      case 4:
        control.ready_head = value;
        break;
      case 5:
        control.wait_ns = random();
        break;
      case 6:
        control.ready_tail = value;
        break;
      case 7:
        control.end = random();
        break;
      case 8:
        view.freed(static_cast<std::uint32_t>(random() % 16)).slot = value;
        break;
      default:
        view.freed(static_cast<std::uint32_t>(random() % 16)).use = value % 4;
        break;
    }
  }
};

/// The stager's calls, with a check that nothing impossible comes out. Counts violations found.
struct Stager {
  ring::Producer producer;
  std::mt19937 random;
  std::vector<std::uint32_t> filling;
  int violations = 0, collected = 0;
  Stager(unsigned seed, std::uint32_t slots) : producer(make_producer(slots)), random(seed) {}

  void step() {
    switch (random() % 6) {
      case 0:
      case 1:
        if (const auto slot = producer.take_free()) {
          BOOST_REQUIRE(*slot < producer.slots());
          BOOST_REQUIRE(std::ranges::find(filling, *slot) == filling.end());
          filling.push_back(*slot);
        }
        break;
      case 2:
        if (!filling.empty()) {
          const ring::Batch batch{1, 0, random() % 100, 5, 5};
          write_payload(producer, filling.back(), batch);
          producer.publish(filling.back(), batch);
          filling.pop_back();
        }
        break;
      case 3:
        collect();
        break;
      case 4:
        if (random() % 2 == 0) producer.arm_bell();
        break;
      default:
        BOOST_REQUIRE(producer.stats().ready <= producer.slots());
    }
    BOOST_REQUIRE_EQUAL(producer.free() + producer.filling() + producer.with_trainer(), producer.slots());
    BOOST_REQUIRE_EQUAL(producer.filling(), filling.size());
  }
  void collect() {
    std::vector<ring::Returned> returned;
    try {
      producer.collect(returned);
    } catch (const ring::ProtocolViolation&) {
      ++violations;
    }
    for (const auto& each : returned) {
      BOOST_REQUIRE(each.slot < producer.slots());
      ++collected;
    }
    if (violations % 4 != 3) return;
    ++violations;  // as the service does: the trainer counts as dead
    for (const auto slot : filling) producer.give_back(slot);
    filling.clear();
    producer.reclaim_all();
    producer.configure(batch_rows, 1);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(hostile)

BOOST_AUTO_TEST_CASE(garbage_between_the_calls_is_found_or_harmless) {
  int violations = 0, collected = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    Stager stager(seed, 1 + seed % 7);
    Attacker attacker(stager.producer);
    for (int i = 0; i < 2000; ++i) {
      for (auto writes = stager.random() % 4; writes > 0; --writes) attacker.write_one(stager.random);
      stager.step();
    }
    violations += stager.violations;
    collected += stager.collected;
  }
  BOOST_TEST(violations > 100);
  BOOST_TEST(collected > 100);  // some garbage looks right: then it counts as a release of a slot that was out
}

BOOST_AUTO_TEST_CASE(garbage_during_the_calls_is_found_or_harmless) {
  Stager stager(1, 5);
  Attacker attacker(stager.producer);
  std::atomic<bool> begun{false}, over{false};
  std::thread trainer([&] {
    std::mt19937 random(2);
    while (!over) {
      attacker.write_one(random);
      begun = true;
    }
  });
  while (!begun) std::this_thread::yield();
  for (int i = 0; i < 50'000; ++i) stager.step();
  over = true;
  trainer.join();
  BOOST_TEST(stager.violations > 0);
}

BOOST_AUTO_TEST_CASE(each_kind_of_lie_is_named) {
  Pair pair(4);
  Attacker attacker(pair.producer);
  std::vector<ring::Returned> returned;
  const auto lie = [&](std::uint32_t count, std::uint32_t slot, std::uint32_t use, const char* text) {
    attacker.view.freed(0).slot = slot;
    attacker.view.freed(0).use = use;
    attacker.view.control().freed_tail = count;
    BOOST_CHECK_EXCEPTION(pair.producer.collect(returned), ring::ProtocolViolation, says(text));
    attacker.view.control().freed_tail = 0;
  };
  lie(1, 0, 1, "returned 1 batches, but has only 0");
  pair.publish(0), pair.publish(1);
  lie(3, 0, 1, "returned 3 batches");
  lie(0xffffffff, 0, 1, "has only 2");
  lie(1, 4, 1, "returned slot 4");
  lie(1, 3, 1, "returned slot 3, which it does not have");
  lie(1, 0, 0, "unknown way");
  lie(1, 0, 3, "unknown way");
  BOOST_TEST(returned.empty());
}

BOOST_AUTO_TEST_CASE(a_slot_returned_twice_is_found) {
  Pair pair(4);
  Attacker attacker(pair.producer);
  pair.publish(0), pair.publish(1);
  for (std::uint32_t k = 0; k < 2; ++k) attacker.view.freed(k).slot = 0, attacker.view.freed(k).use = 1;
  attacker.view.control().freed_tail = 2;
  std::vector<ring::Returned> returned;
  BOOST_CHECK_THROW(pair.producer.collect(returned), ring::ProtocolViolation);
  BOOST_TEST(returned.size() == 1);
}

BOOST_AUTO_TEST_CASE(a_header_with_any_wrong_word_is_refused) {
  const auto producer = make_producer(3);
  const auto memory = ipc::Mapping::map(producer.fd(), producer.bytes());
  const auto attach = [&] { ring::Consumer(producer.fd(), ipc::Bell::make(), schema(), geometry(producer)); };
  attach();
  auto* words = reinterpret_cast<std::uint32_t*>(memory.data());
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < sizeof(ring::Header); at += 4) places.push_back(at);
  for (std::size_t at = 0; at < schema().size() * 8; at += 4) places.push_back(ring::field_offsets_at + at);
  for (const auto at : places)
    for (const std::uint32_t flip : {1u, 0x80000000u, 0xffffffffu}) {
      words[at / 4] ^= flip;
      BOOST_CHECK_EXCEPTION(attach(), Error, says("corrupted ring header"));
      words[at / 4] ^= flip;
    }
  attach();
}

BOOST_AUTO_TEST_CASE(memory_that_is_not_what_was_announced_is_refused) {
  const auto producer = make_producer(3);
  const auto attach = [&](const ring::Geometry& announced, const Schema& fields = schema()) {
    ring::Consumer(producer.fd(), ipc::Bell::make(), fields, announced);
  };
  const auto good = geometry(producer);
  for (const auto& bad : {ring::Geometry{good.bytes + 4096, 3, batch_rows, 1},
                          {good.bytes, 4, batch_rows, 1},
                          {good.bytes, 0, batch_rows, 1},
                          {good.bytes, 2000, batch_rows, 1},
                          {good.bytes, 2, batch_rows, 1},
                          {good.bytes, 3, batch_rows - 1, 1},
                          {good.bytes, 3, batch_rows, 2}})
    BOOST_CHECK_EXCEPTION(attach(bad), Error, says("corrupted ring header"));
  auto fewer = schema();
  fewer.pop_back();
  BOOST_CHECK_EXCEPTION(attach(good, fewer), Error, says("corrupted ring header"));
  const auto open = ipc::make_memfd("unsealed", good.bytes);
  BOOST_CHECK_EXCEPTION(ring::Consumer(open, ipc::Bell::make(), schema(), good), Error, says("not a sealed memfd"));
}

BOOST_AUTO_TEST_CASE(entries_that_cannot_be_are_errors_of_the_trainer) {
  const auto spoil = [](const std::function<void(ring::View&)>& write, const char* text) {
    Pair pair(3);
    pair.publish(0), pair.publish(1);
    ring::Lease lease;
    pair.acquire(lease);
    const auto memory = ipc::Mapping::map(pair.producer.fd(), pair.producer.bytes());
    ring::View view(memory.data(), schema().size());
    write(view);
    BOOST_CHECK_EXCEPTION(pair.consumer.try_acquire(lease), Error, says(text));
  };
  spoil([](ring::View& view) { view.control().ready_tail = 9; }, "8 batches are announced");
  spoil([](ring::View& view) { view.ready(1).slot = 3; }, "slot 3 is announced");
  spoil([](ring::View& view) { view.ready(1).slot = view.ready(0).slot; }, "is announced");
  spoil([](ring::View& view) { view.ready(1).rows = batch_rows + 1; }, "rows is announced");
  spoil([](ring::View& view) { view.ready(1).filled = batch_rows + 1; }, "rows is announced");
  spoil([](ring::View& view) { view.ready(1).generation = 7; }, "a seek is answered");
}

BOOST_AUTO_TEST_SUITE_END()
