// The two sides as two processes, which die at any moment.
#include <poll.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

#include "ipc/child.hpp"
#include "pair.hpp"

using namespace ring_test;
using namespace std::chrono_literals;

namespace {

struct Publisher {
  ring::Producer producer;
  ipc::Bell bell = ipc::Bell::make();
  explicit Publisher(std::uint32_t slots) : producer(make_producer(slots)) {}
  bool publish(std::uint64_t step, bool last) {
    const auto slot = producer.take_free();
    if (!slot) return false;
    const ring::Batch batch{1, 0, step, batch_rows, batch_rows, last};
    write_payload(producer, *slot, batch);
    producer.publish(*slot, batch);
    return true;
  }
};

/// A trainer that checks what it gets, step by step from `first`, and returns 0 at the end of the stream.
int train(const Publisher& stager, std::uint64_t* expected, std::uint64_t count) {
  ring::Consumer consumer(stager.producer.fd(), stager.bell.duplicate(), schema(), geometry(stager.producer));
  ring::Lease lease;
  std::uint64_t at = 0;
  for (;;) switch (consumer.try_acquire(lease)) {
      case ring::Acquired::batch:
        if (at == count || lease.step != expected[at++]) return 1;
        if (!payload_is_right(consumer, lease)) return 2;
        scribble(consumer, lease.slot);
        consumer.release(lease.slot, true);
        break;
      case ring::Acquired::nothing:
        consumer.wait(1h);
        break;
      case ring::Acquired::end:
        return at == count ? 0 : 3;
      default:
        return 4;
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(processes)

BOOST_AUTO_TEST_CASE(a_trainer_in_another_process_gets_every_batch) {
  constexpr std::uint64_t total = 2000;
  std::vector<std::uint64_t> steps(total);
  for (std::uint64_t i = 0; i < total; ++i) steps[i] = i;
  Publisher stager(3);
  Child trainer([&] { return train(stager, steps.data(), total); });
  const auto pidfd = ipc::open_pidfd(trainer.pid());
  std::uint64_t step = 0, back = 0;
  std::vector<ring::Returned> returned;
  while (back < total) {
    returned.clear();
    back += stager.producer.collect(returned);
    while (step < total && stager.publish(step, step + 1 == total)) ++step;
    const auto after = static_cast<std::uint32_t>(std::min(1 + step % 3, step - back));
    if (back == total || !stager.producer.arm_bell(after)) continue;
    std::array<pollfd, 2> entries{{{stager.bell.fd(), POLLIN, 0}, {pidfd.get(), POLLIN, 0}}};
    poll(entries.data(), entries.size(), -1);  // a lost bell would hang the test
    BOOST_REQUIRE(entries[1].revents == 0 || stager.producer.stats().acquired == total);
    stager.bell.drain();
  }
  BOOST_TEST(trainer.wait() == 0);
}

BOOST_AUTO_TEST_CASE(what_a_killed_trainer_had_goes_to_the_next_one) {
  std::mt19937 random(5);
  for (int round = 0; round < 20; ++round) {
    Publisher stager(4);
    constexpr std::uint64_t total = 300;
    Child victim([&]() -> int {
      ring::Consumer consumer(stager.producer.fd(), stager.bell.duplicate(), schema(), geometry(stager.producer));
      ring::Lease lease;
      for (;;) {  // holds some, releases some, and scribbles over all of them
        const auto got = consumer.try_acquire(lease);
        if (got == ring::Acquired::batch) scribble(consumer, lease.slot);
        if (got == ring::Acquired::nothing) consumer.wait(1ms);
        const auto held = consumer.held();
        if (held.size() > 2) consumer.release(held[held.size() / 2].slot, true);
      }
    });
    std::map<std::uint64_t, int> pending;  // published and not released
    std::vector<ring::Returned> returned;
    const auto collect = [&] {
      returned.clear();
      stager.producer.collect(returned);
      for (const auto& each : returned) BOOST_REQUIRE_EQUAL(pending.erase(each.batch.step), 1);
    };
    std::uint64_t step = 0;
    const std::uint64_t killed_at = 10 + random() % 200;
    while (step < killed_at) {
      if (stager.publish(step, false)) pending[step++] = 1;
      collect();
    }
    victim.kill();
    BOOST_REQUIRE_EQUAL(victim.wait(), -SIGKILL);
    collect();
    std::vector<std::uint64_t> again;
    for (const auto& batch : stager.producer.reclaim_all()) again.push_back(batch.step);
    std::ranges::sort(again);
    BOOST_REQUIRE_EQUAL(again.size(), pending.size());
    for (const auto lost : again) BOOST_REQUIRE(pending.contains(lost));
    while (step < total && again.size() < 50) again.push_back(step++);
    stager.producer.configure(batch_rows, 1);
    Child heir([&] { return train(stager, again.data(), again.size()); });
    for (std::size_t i = 0; i < again.size();) {
      if (stager.publish(again[i], i + 1 == again.size())) ++i;
      returned.clear();
      stager.producer.collect(returned);
    }
    BOOST_TEST(heir.wait() == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_stager_killed_leaves_whole_batches_only) {
  std::mt19937 random(6);
  for (int round = 0; round < 20; ++round) {
    Publisher stager(5);
    ring::Consumer consumer(stager.producer.fd(), stager.bell.duplicate(), schema(), geometry(stager.producer));
    // The child goes on with its copy of the producer; ours stays as it was.
    auto child = std::make_unique<Child>([&]() -> int {
      std::vector<ring::Returned> returned;
      for (std::uint64_t step = 0;;) {
        if (stager.publish(step, false)) ++step;
        returned.clear();
        stager.producer.collect(returned);
      }
    });
    const std::uint64_t killed_at = random() % 60;
    ring::Lease lease;
    std::uint64_t next = 0;
    bool right = true;
    for (bool alive = true; alive || consumer.try_acquire(lease) == ring::Acquired::batch;) {
      if (alive && consumer.try_acquire(lease) != ring::Acquired::batch) {
        consumer.wait(1ms);
        continue;
      }
      right = right && lease.step == next++ && payload_is_right(consumer, lease);
      consumer.release(lease.slot, true);
      if (next > killed_at) child.reset(), alive = false;
    }
    BOOST_TEST(right);
    BOOST_TEST((consumer.wait(1ms) == ring::Waited::timeout));
  }
}

BOOST_AUTO_TEST_SUITE_END()
