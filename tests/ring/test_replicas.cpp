// A ring that replicas share: each gets every batch, none can write into one, and the slowest decides.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <deque>
#include <random>
#include <set>

#include "base/error.hpp"
#include "pair.hpp"

using namespace ring_test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t slots = 4;

bool rung(const ipc::Bell& bell) {
  std::uint64_t count = 0;
  return read(bell.fd(), &count, sizeof count) == sizeof count;
}

struct Three {
  ring::Producer producer{"test-replicas", schema(), ring::Producer::ring_bytes(schema(), batch_rows, slots), 1, 3};
  ipc::Bell bell = ipc::Bell::make();
  std::deque<ring::Consumer> replicas;
  std::vector<ipc::Fd> lanes;
  std::uint64_t published = 0;

  explicit Three(std::uint32_t come = 3) {
    producer.configure(batch_rows, 1);
    for (std::uint32_t r = 0; r < come; ++r) {
      lanes.push_back(producer.join(r));
      replicas.emplace_back(producer.for_trainer(), bell.duplicate(), schema(), geometry(producer),
                            ring::Share{lanes.back().duplicate(), r});
    }
  }
  bool publish(std::uint64_t step, std::uint32_t generation = 1) {
    const auto slot = producer.take_free();
    if (!slot) return false;
    const ring::Batch batch{generation, step / 100, step % 100, batch_rows, batch_rows};
    write_payload(producer, *slot, batch);
    producer.publish(*slot, batch);
    return true;
  }
  Got acquire(std::uint32_t r, ring::Lease& lease) {
    const auto what = replicas[r].try_acquire(lease);
    if (what != ring::Acquired::batch || !payload_is_right(replicas[r], lease)) return {what, {}};
    return {what, lease.epoch * 100 + lease.step};
  }
  /// The step that a replica gets, and gives back; or why there is none.
  Got next(std::uint32_t r) {
    ring::Lease lease;
    const auto got = acquire(r, lease);
    if (got.step) BOOST_REQUIRE(replicas[r].release(lease.slot, true));
    return got;
  }
  std::vector<ring::Returned> collect() {
    std::vector<ring::Returned> returned;
    producer.collect(returned);
    return returned;
  }
  void seek() {
    const auto sought = replicas[0].seek();
    producer.lead(sought.generation, sought.taken);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(replicas)

BOOST_AUTO_TEST_CASE(each_gets_every_batch_and_a_slot_returns_with_the_last) {
  Three ring;
  for (std::uint64_t step = 0; step < slots; ++step) BOOST_REQUIRE(ring.publish(step));
  BOOST_TEST(!ring.publish(99));
  for (std::uint32_t r = 0; r < 2; ++r)
    for (std::uint64_t step = 0; step < slots; ++step) BOOST_TEST(ring.next(r) == step);
  BOOST_TEST(ring.collect().empty());  // the third has them all
  BOOST_TEST(ring.producer.free() == 0u);
  BOOST_TEST(ring.next(2) == 0u);
  const auto returned = ring.collect();
  BOOST_REQUIRE(returned.size() == 1);
  BOOST_TEST((returned[0].consumed && returned[0].batch.step == 0));
  BOOST_TEST(ring.producer.free() == 1u);
  BOOST_TEST(ring.publish(4));
  BOOST_TEST(ring.next(0) == 4u);
}

BOOST_AUTO_TEST_CASE(what_a_dead_one_holds_lapses) {
  Three ring;
  ring::Lease held;
  for (std::uint64_t step = 0; step < 3; ++step) BOOST_REQUIRE(ring.publish(step));
  BOOST_TEST(ring.acquire(1, held) == 0u);
  for (const std::uint32_t r : {0u, 2u}) BOOST_TEST(ring.next(r) == 0u);
  BOOST_TEST(ring.collect().empty());
  ring.producer.drop(1);  // with one in its hands and two to come
  ring.producer.drop(1);
  BOOST_TEST(ring.producer.has_returns());
  auto returned = ring.collect();
  BOOST_REQUIRE(returned.size() == 1);
  BOOST_TEST(returned[0].consumed);  // by the others
  for (const std::uint32_t r : {0u, 2u})
    for (std::uint64_t step = 1; step < 3; ++step) BOOST_TEST(ring.next(r) == step);
  BOOST_TEST(ring.collect().size() == 2u);
  // Nobody is left: what is published now comes back unused.
  ring.producer.drop(0);
  ring.producer.drop(2);
  BOOST_REQUIRE(ring.publish(3));
  returned = ring.collect();
  BOOST_REQUIRE(returned.size() == 1);
  BOOST_TEST(!returned[0].consumed);
  BOOST_TEST(ring.producer.free() == slots);
}

BOOST_AUTO_TEST_CASE(others_get_no_batch_that_replica_0_had_not_got_before_it_sought) {
  Three ring;
  for (std::uint64_t step = 0; step < slots; ++step) BOOST_REQUIRE(ring.publish(step));
  BOOST_TEST(ring.next(0) == 0u);
  BOOST_TEST(ring.next(0) == 1u);
  ring.seek();  // 2 and 3 are cut off; replica 1 has nothing yet, and is to have 0 and 1
  BOOST_TEST(ring.next(1) == 0u);
  BOOST_TEST(ring.next(1) == 1u);
  for (std::uint32_t r = 0; r < 2; ++r) BOOST_TEST(ring.next(r) == ring::Acquired::nothing);
  for (std::uint32_t i = 0; i < 2; ++i) BOOST_TEST(ring.next(2) == i);
  BOOST_TEST(ring.next(2) == ring::Acquired::nothing);
  BOOST_TEST(ring.collect().size() == slots);
  BOOST_REQUIRE(ring.publish(700, 2));
  for (std::uint32_t r = 0; r < 3; ++r) BOOST_TEST(ring.next(r) == 700u);
}

BOOST_AUTO_TEST_CASE(who_leaves_off_as_replica_0_does_follows_it) {
  Three ring;
  for (std::uint64_t step = 0; step < slots; ++step) BOOST_REQUIRE(ring.publish(step));
  BOOST_TEST(ring.next(1) == 0u);
  BOOST_TEST(ring.next(1) == 1u);  // read ahead: to be forgotten
  BOOST_TEST(!ring.replicas[1].follow());
  BOOST_TEST(ring.next(0) == 0u);
  ring.seek();
  BOOST_TEST(ring.replicas[1].follow());
  BOOST_TEST(!ring.replicas[1].follow());  // once for each seek
  BOOST_TEST(ring.next(1) == ring::Acquired::nothing);
  BOOST_TEST(ring.next(0) == ring::Acquired::nothing);
  while (ring.next(2) != ring::Acquired::nothing) {
  }
  ring.collect();
  BOOST_REQUIRE(ring.publish(500, 2));
  ring.seek();  // before anybody took it
  ring.producer.publish_end(3);
  for (std::uint32_t r = 0; r < 3; ++r) BOOST_TEST(ring.next(r) == ring::Acquired::end);
  ring.seek();  // and back
  for (std::uint32_t r = 0; r < 3; ++r) BOOST_TEST(ring.next(r) == ring::Acquired::nothing);
}

BOOST_AUTO_TEST_CASE(nobody_sleeps_at_an_end_that_replica_0_has_sought) {
  Three ring;
  for (std::uint32_t r = 0; r < 3; ++r) BOOST_TEST(ring.next(r) == ring::Acquired::nothing);
  ring.seek();
  ring.producer.publish_end(2);  // between a follower's look, which is of generation 1, and its sleep
  BOOST_TEST((ring.replicas[1].wait(1h) == ring::Waited::maybe));
  BOOST_TEST(ring.next(1) == ring::Acquired::end);
  ring.seek();  // and an end that no longer is one is slept at
  BOOST_TEST((ring.replicas[1].wait(1ms) == ring::Waited::timeout));
}

BOOST_AUTO_TEST_CASE(a_batch_put_back_comes_again_and_does_not_count) {
  Three ring;
  ring::Lease first, second;
  for (std::uint64_t step = 0; step < slots; ++step) BOOST_REQUIRE(ring.publish(step));
  BOOST_TEST(ring.acquire(0, first) == 0u);
  BOOST_TEST(ring.acquire(0, second) == 1u);
  BOOST_TEST(!ring.replicas[0].put_back(first.slot));
  BOOST_TEST(ring.replicas[0].put_back(second.slot));
  BOOST_TEST(!ring.replicas[0].put_back(second.slot));
  BOOST_TEST(ring.acquire(0, second) == 1u);
  BOOST_TEST(ring.replicas[0].put_back(second.slot));
  ring.seek();
  BOOST_TEST(ring.next(1) == 0u);
  BOOST_TEST(ring.next(1) == ring::Acquired::nothing);
}

BOOST_AUTO_TEST_CASE(nobody_but_the_stager_can_write_batches) {
  Three ring;
  const auto given = ring.producer.for_trainer();
  const auto bytes = ring.producer.bytes();
  const auto again = "/proc/self/fd/" + std::to_string(given.get());
  const ipc::Fd writable(open(again.c_str(), O_RDWR | O_CLOEXEC));  // as whoever is of this user may
  for (const auto* fd : {&given, &writable}) {
    if (!*fd) continue;
    BOOST_TEST(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd->get(), 0) == MAP_FAILED);
    BOOST_TEST(pwrite(fd->get(), "x", 1, 0) == -1);
    BOOST_TEST(fallocate(fd->get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == -1);
    BOOST_TEST(ftruncate(fd->get(), 4096) == -1);
    void* map = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd->get(), 0);
    BOOST_REQUIRE(map != MAP_FAILED);
    BOOST_TEST(mprotect(map, bytes, PROT_READ | PROT_WRITE) == -1);
    munmap(map, bytes);
  }
  BOOST_TEST(ring.publish(0));  // the stager can
  for (std::uint32_t r = 0; r < 3; ++r) BOOST_TEST(ring.next(r) == 0u);
}

BOOST_AUTO_TEST_CASE(one_that_writes_garbage_is_named_and_the_others_go_on) {
  Three ring;
  for (std::uint64_t step = 0; step < slots; ++step) BOOST_REQUIRE(ring.publish(step));
  const auto lane = ipc::Mapping::map(ring.lanes[1], ring::lane_bytes);
  const ring::View view(nullptr, schema().size(), lane.data());
  std::mt19937 random(7);
  view.freed(0).slot = 17;
  view.freed(0).use = 1;
  view.control().freed_tail = 1;
  BOOST_TEST(ring.next(0) == 0u);
  BOOST_TEST(ring.next(2) == 0u);
  BOOST_CHECK_EXCEPTION(ring.collect(), ring::ProtocolViolation,
                        [](const ring::ProtocolViolation& violation) { return violation.replica == 1; });
  ring.producer.drop(1);
  BOOST_TEST(ring.collect().size() == 1u);
  for (const std::uint32_t r : {0u, 2u}) BOOST_TEST(ring.next(r) == 1u);
  BOOST_TEST(ring.collect().size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_bell_of_each_is_asked_for) {
  Three ring;
  for (std::uint64_t step = 0; step < slots; ++step) BOOST_REQUIRE(ring.publish(step));
  BOOST_TEST(ring.producer.arm_bell());
  BOOST_TEST(!rung(ring.bell));
  BOOST_TEST(ring.next(2) == 0u);
  BOOST_TEST(rung(ring.bell));
  BOOST_TEST(!ring.producer.arm_bell());  // it came back already
  BOOST_TEST(ring.collect().empty());
  BOOST_TEST(ring.producer.arm_bell());
}

BOOST_AUTO_TEST_CASE(random_seeks_give_all_the_same) {
  // A model: what replica 0 got, in order, is what the others must get, however far behind or ahead of the stager.
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    Three ring;
    std::vector<std::uint64_t> got[3];
    std::uint32_t generation = 1;
    std::uint64_t step = 0;
    const auto take = [&](std::uint32_t r) {
      ring::Lease lease;
      const auto one = ring.acquire(r, lease);
      if (!one.step) return false;
      got[r].push_back(*one.step);
      if (r > 0) BOOST_REQUIRE(got[r].size() <= got[0].size());  // followers stay behind here
      if (random() % 5 == 0 && r == 0) {
        BOOST_REQUIRE(ring.replicas[0].put_back(lease.slot));
        got[0].pop_back();
        return false;
      }
      BOOST_REQUIRE(ring.replicas[r].release(lease.slot, true));
      return true;
    };
    for (int i = 0; i < 300; ++i) switch (random() % 8) {
        case 0:
          ring.seek();
          ++generation;
          step += 1000;
          break;
        case 1:
        case 2:
          ring.collect();
          if (ring.publish(step, generation)) ++step;
          break;
        case 3:
        case 4:
          take(0);
          break;
        default: {
          const auto r = 1 + random() % 2;
          if (got[r].size() < got[0].size()) BOOST_REQUIRE(take(static_cast<std::uint32_t>(r)));
          break;
        }
      }
    for (const std::uint32_t r : {1u, 2u}) {
      while (got[r].size() < got[0].size()) BOOST_REQUIRE(take(r));
      BOOST_TEST(got[r] == got[0], boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
