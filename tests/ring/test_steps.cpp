// Scripted interleavings of both sides, in one thread.
#include <poll.h>

#include <boost/test/unit_test.hpp>
#include <thread>

#include "pair.hpp"

using namespace ring_test;
using namespace std::chrono_literals;

namespace {

bool rings(const ipc::Bell& bell) {
  pollfd entry{bell.fd(), POLLIN, 0};
  return poll(&entry, 1, 0) == 1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(steps)

BOOST_AUTO_TEST_CASE(batches_come_in_order_and_slots_go_round) {
  Pair pair(3);
  ring::Lease lease;
  BOOST_TEST(pair.acquire(lease) == ring::Acquired::nothing);
  for (int step = 0; step < 5000; ++step) {
    BOOST_REQUIRE(pair.publish(static_cast<std::uint64_t>(step)));
    BOOST_REQUIRE_EQUAL(pair.acquire(lease), step);
    BOOST_REQUIRE_EQUAL(lease.rows, batch_rows - 1);
    scribble(pair.consumer, lease.slot);
    BOOST_REQUIRE(pair.consumer.release(lease.slot, step % 2 == 0));
    const auto returned = pair.collect();
    BOOST_REQUIRE_EQUAL(returned.size(), 1);
    BOOST_REQUIRE_EQUAL(returned[0].consumed, step % 2 == 0);
    BOOST_REQUIRE_EQUAL(returned[0].batch.epoch * 100 + returned[0].batch.step, step);
  }
  BOOST_TEST(pair.producer.stats().acquired == 5000);
  BOOST_TEST(pair.producer.free() == 3);
}

BOOST_AUTO_TEST_CASE(leases_return_in_any_order_and_once) {
  Pair pair(4);
  ring::Lease leases[4];
  for (int step = 0; step < 4; ++step) BOOST_TEST(pair.publish(static_cast<std::uint64_t>(step)));
  BOOST_TEST(!pair.publish(4));
  BOOST_TEST(pair.producer.stats().ready == 4);
  for (int step = 0; step < 4; ++step) BOOST_TEST(pair.acquire(leases[step]) == step);
  BOOST_TEST(pair.producer.stats().ready == 0);
  BOOST_TEST(pair.consumer.release(leases[2].slot, true));
  BOOST_TEST(!pair.consumer.release(leases[2].slot, true));
  BOOST_TEST(!pair.consumer.release(77, true));
  BOOST_TEST(pair.collect().size() == 1);
  BOOST_TEST(pair.publish(4));
  ring::Lease fifth;
  BOOST_TEST(pair.acquire(fifth) == 4);
  BOOST_TEST(fifth.slot == leases[2].slot);
  const auto held = pair.consumer.held();
  BOOST_REQUIRE_EQUAL(held.size(), 4);
  BOOST_TEST((held[0].step == 0 && held[1].step == 1 && held[2].step == 3 && held[3].step == 4));
}

BOOST_AUTO_TEST_CASE(holding_everything_is_told_and_not_waited_for) {
  Pair pair(2);
  ring::Lease a, b, c;
  pair.publish(0), pair.publish(1);
  BOOST_TEST(pair.acquire(a) == 0);
  BOOST_TEST(pair.acquire(b) == 1);
  BOOST_TEST(pair.acquire(c) == ring::Acquired::exhausted);
  pair.consumer.release(a.slot, true);
  BOOST_TEST(pair.acquire(c) == ring::Acquired::nothing);
}

BOOST_AUTO_TEST_CASE(the_end_is_known_without_a_wait_even_to_who_holds_everything) {
  Pair pair(2);
  ring::Lease a, b, c;
  pair.publish(0), pair.publish(1, 1, true);
  BOOST_TEST(pair.acquire(a) == 0);
  BOOST_TEST(pair.acquire(b) == 1);
  BOOST_TEST(pair.acquire(c) == ring::Acquired::end);
  BOOST_TEST(pair.acquire(c) == ring::Acquired::end);
  BOOST_TEST((pair.consumer.wait(1h) == ring::Waited::maybe));
}

BOOST_AUTO_TEST_CASE(a_stream_may_end_with_nothing_and_go_on_after_a_seek) {
  Pair pair(2);
  ring::Lease lease;
  pair.producer.publish_end(1);
  BOOST_TEST(pair.acquire(lease) == ring::Acquired::end);
  BOOST_TEST(pair.consumer.seek().generation == 2);
  BOOST_TEST(pair.acquire(lease) == ring::Acquired::nothing);
  pair.publish(7, 2);
  BOOST_TEST(pair.acquire(lease) == 7);
  pair.producer.publish_end(2);
  BOOST_TEST(pair.acquire(lease) == ring::Acquired::end);
}

BOOST_AUTO_TEST_CASE(a_seek_drops_what_was_queued_before_and_keeps_leases) {
  Pair pair(4);
  ring::Lease first, second;
  for (std::uint64_t step = 0; step < 3; ++step) pair.publish(step);
  BOOST_TEST(pair.acquire(first) == 0);
  pair.consumer.seek();
  pair.publish(50, 2);
  BOOST_TEST(pair.acquire(second) == 50);
  BOOST_TEST(payload_is_right(pair.consumer, first));
  auto returned = pair.collect();
  BOOST_REQUIRE_EQUAL(returned.size(), 2);
  for (const auto& each : returned) BOOST_TEST((!each.consumed && each.batch.generation == 1));
  pair.consumer.release(first.slot, true);
  returned = pair.collect();
  BOOST_REQUIRE_EQUAL(returned.size(), 1);
  BOOST_TEST((returned[0].consumed && returned[0].batch.step == 0));
}

BOOST_AUTO_TEST_CASE(the_bell_rings_when_asked_and_only_then) {
  Pair pair(2);
  ring::Lease lease;
  pair.publish(0), pair.publish(1);
  pair.acquire(lease);
  pair.consumer.release(lease.slot, true);
  BOOST_TEST(!rings(pair.bell));
  BOOST_TEST(!pair.producer.arm_bell());  // something is there: collect first
  BOOST_TEST(pair.collect().size() == 1);
  BOOST_TEST(pair.producer.arm_bell());
  pair.acquire(lease);
  BOOST_TEST(!rings(pair.bell));
  pair.consumer.release(lease.slot, true);
  BOOST_TEST(rings(pair.bell));
  pair.bell.drain();
  BOOST_TEST(pair.collect().size() == 1);
  BOOST_TEST(pair.producer.arm_bell());
  pair.producer.disarm_bell();
  pair.publish(2);
  pair.acquire(lease);
  pair.consumer.release(lease.slot, true);
  BOOST_TEST(!rings(pair.bell));
}

BOOST_AUTO_TEST_CASE(the_bell_rings_at_the_count_asked_for) {
  Pair pair(4);
  ring::Lease lease;
  const auto use_one = [&] {
    pair.acquire(lease);
    pair.consumer.release(lease.slot, true);
    return rings(pair.bell);
  };
  for (std::uint64_t step = 0; step < 4; ++step) pair.publish(step);
  BOOST_TEST(pair.producer.arm_bell(3));
  BOOST_TEST(!use_one());
  BOOST_TEST(!use_one());
  BOOST_TEST(pair.producer.has_returns());
  BOOST_TEST(pair.producer.arm_bell(3));  // still not enough
  BOOST_TEST(use_one());
  pair.bell.drain();
  BOOST_TEST(!pair.producer.arm_bell(3));  // there already
  BOOST_TEST(pair.collect().size() == 3);
  BOOST_TEST(!pair.producer.has_returns());
}

BOOST_AUTO_TEST_CASE(whoever_finds_nothing_rings_before_the_count) {
  Pair pair(4);
  ring::Lease lease;
  const auto armed_with_one_back = [&](std::uint64_t step) {
    pair.publish(step);
    const bool armed = pair.producer.arm_bell(2);
    pair.acquire(lease);
    pair.consumer.release(lease.slot, true);
    return armed && !rings(pair.bell);
  };
  BOOST_TEST(armed_with_one_back(0));
  BOOST_TEST((pair.consumer.try_acquire(lease) == ring::Acquired::nothing));
  BOOST_TEST(rings(pair.bell));
  pair.bell.drain();
  BOOST_TEST(pair.collect().size() == 1);
  // The same where the stager arms only after the trainer has looked: sleeping rings, too.
  pair.publish(1);
  pair.acquire(lease);
  pair.consumer.release(lease.slot, true);
  BOOST_TEST((pair.consumer.try_acquire(lease) == ring::Acquired::nothing));
  BOOST_TEST(pair.producer.arm_bell(2));
  BOOST_TEST(!rings(pair.bell));
  pair.consumer.wait(std::chrono::nanoseconds(1));
  BOOST_TEST(rings(pair.bell));
}

BOOST_AUTO_TEST_CASE(a_wait_ends_at_once_if_something_came_in_between) {
  Pair pair(2);
  ring::Lease lease;
  BOOST_TEST((pair.consumer.wait(1ms) == ring::Waited::timeout));
  BOOST_TEST(pair.producer.stats().wait_ns > 0);
  pair.publish(0);
  BOOST_TEST((pair.consumer.wait(1h) == ring::Waited::maybe));
  BOOST_TEST(pair.acquire(lease) == 0);
  std::thread waker([&] {
    while (!pair.producer.stats().waiting) std::this_thread::yield();
    pair.consumer.wake();
  });
  BOOST_TEST((pair.consumer.wait(1h) == ring::Waited::maybe));
  waker.join();
  BOOST_TEST((pair.consumer.wait(1h) == ring::Waited::maybe));  // for good
}

BOOST_AUTO_TEST_CASE(slots_that_nobody_wants_any_more_go_back) {
  Pair pair(2);
  const auto slot = pair.producer.take_free();
  BOOST_TEST(pair.producer.filling() == 1);
  pair.producer.give_back(*slot);
  BOOST_TEST(pair.producer.filling() == 0);
  BOOST_TEST(pair.producer.free() == 2);
}

BOOST_AUTO_TEST_CASE(what_a_gone_trainer_had_is_named_and_the_next_one_starts_clean) {
  Pair pair(3);
  ring::Lease a, b;
  for (std::uint64_t step = 0; step < 3; ++step) pair.publish(step);
  pair.acquire(a), pair.acquire(b);
  pair.consumer.release(a.slot, true);
  BOOST_TEST(pair.collect().size() == 1);
  auto lost = pair.producer.reclaim_all();
  BOOST_REQUIRE_EQUAL(lost.size(), 2);
  BOOST_TEST(lost[0].step + lost[1].step == 3);
  BOOST_TEST(pair.producer.configure(batch_rows, 9) == 3);
  ring::Consumer next(pair.producer.fd(), pair.bell.duplicate(), schema(), geometry(pair.producer, 9));
  const auto slot = pair.producer.take_free();
  const ring::Batch batch{9, 0, 1, batch_rows, batch_rows};
  write_payload(pair.producer, *slot, batch);
  pair.producer.publish(*slot, batch);
  BOOST_TEST((next.try_acquire(a) == ring::Acquired::batch));
  BOOST_TEST(payload_is_right(next, a));
}

BOOST_AUTO_TEST_CASE(kept_leases_do_not_change_when_the_memory_is_used_again) {
  Pair pair(3);
  ring::Lease a, b;
  pair.publish(0), pair.publish(1);
  pair.acquire(a), pair.acquire(b);
  pair.consumer.release(a.slot, true);
  const auto* data = pair.consumer.field(b.slot, 0);
  const std::vector<std::byte> before(data, data + 100);
  pair.consumer.keep_held(false);
  pair.producer.reclaim_all();
  pair.producer.configure(batch_rows, 1);
  for (std::uint32_t slot = 0; slot < 3; ++slot)
    std::memset(pair.producer.field(slot, 0), 0x11, pair.producer.layout().bytes());
  BOOST_TEST((std::vector<std::byte>(data, data + 100) == before));
}

BOOST_AUTO_TEST_CASE(what_is_held_at_a_goodbye_counts) {
  Pair pair(3);
  ring::Lease a, b;
  pair.publish(0), pair.publish(1);
  pair.acquire(a), pair.acquire(b);
  pair.consumer.keep_held(true);
  const auto returned = pair.collect();
  BOOST_REQUIRE_EQUAL(returned.size(), 2);
  BOOST_TEST((returned[0].consumed && returned[1].consumed));
}

BOOST_AUTO_TEST_SUITE_END()
