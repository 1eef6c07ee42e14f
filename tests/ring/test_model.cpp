// Random calls on both sides, against a model of a few lines; then the same protocol between two threads.
#include <poll.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <map>
#include <random>
#include <thread>

#include "pair.hpp"

using namespace ring_test;
using namespace std::chrono_literals;

namespace {

/// What a ring should do, without memory to share.
struct Model {
  std::deque<std::pair<std::uint32_t, std::uint64_t>> ready;  // generation, step
  std::map<std::uint64_t, std::uint32_t> held;                // step -> slot
  std::deque<std::pair<std::uint64_t, bool>> freed;           // step, consumed
  std::uint32_t free = 0, generation = 1;
  std::uint64_t next_step = 0;
  bool ended = false;
};

struct Game {
  std::mt19937 random;
  Pair pair;
  Model model;
  int deaths = 0;
  explicit Game(unsigned seed) : random(seed), pair(1 + random() % 6) { model.free = pair.producer.slots(); }

  void publish() {
    if (model.ended) return;
    const bool last = random() % 50 == 0;
    const bool done = pair.publish(model.next_step, model.generation, last);
    BOOST_REQUIRE_EQUAL(done, model.free > 0);
    if (!done) return;
    model.ready.emplace_back(model.generation, model.next_step++);
    model.ended = last;
    --model.free;
  }
  void end() {
    if (random() % 50 != 0) return;
    pair.producer.publish_end(model.generation);
    model.ended = true;
  }
  void acquire() {
    ring::Lease lease;
    const auto got = pair.acquire(lease);
    while (!model.ready.empty() && model.ready.front().first != model.generation) {
      model.freed.emplace_back(model.ready.front().second, false);
      model.ready.pop_front();
    }
    if (model.ready.empty()) {
      const bool all_held = model.held.size() == pair.producer.slots();
      BOOST_REQUIRE_EQUAL(got, model.ended ? ring::Acquired::end
                               : all_held  ? ring::Acquired::exhausted
                                           : ring::Acquired::nothing);
      return;
    }
    BOOST_REQUIRE_EQUAL(got, model.ready.front().second);
    model.ready.pop_front();
    scribble(pair.consumer, lease.slot);
    model.held[*got.step] = lease.slot;
  }
  void release() {
    if (model.held.empty()) return;
    const auto which = std::next(model.held.begin(), static_cast<long>(random() % model.held.size()));
    const bool consumed = random() % 4 != 0;
    BOOST_REQUIRE(pair.consumer.release(which->second, consumed));
    model.freed.emplace_back(which->first, consumed);
    model.held.erase(which);
  }
  void seek() {
    if (random() % 20 != 0) return;
    BOOST_REQUIRE_EQUAL(pair.consumer.seek().generation, ++model.generation);
    model.next_step += 1000;
    model.ended = false;
  }
  void collect() {
    const auto returned = pair.collect();
    BOOST_REQUIRE_EQUAL(returned.size(), model.freed.size());
    for (std::size_t i = 0; i < returned.size(); ++i) {
      BOOST_REQUIRE_EQUAL(returned[i].batch.epoch * 100 + returned[i].batch.step, model.freed[i].first);
      BOOST_REQUIRE_EQUAL(returned[i].consumed, model.freed[i].second);
    }
    model.free += static_cast<std::uint32_t>(model.freed.size());
    model.freed.clear();
    BOOST_REQUIRE_EQUAL(pair.producer.free(), model.free);
  }
  void die() {
    collect();
    ++deaths;
    const auto lost = pair.producer.reclaim_all();
    BOOST_REQUIRE_EQUAL(lost.size(), model.held.size() + model.ready.size());
    pair.producer.configure(batch_rows, 1);
    std::destroy_at(&pair.consumer);
    std::construct_at(&pair.consumer, pair.producer.fd(), pair.bell.duplicate(), schema(), geometry(pair.producer));
    model = Model{.free = pair.producer.slots(), .next_step = model.next_step + 500};
  }
  void step() {
    switch (random() % 8) {
      case 0:
      case 1:
        return publish();
      case 2:
      case 3:
        return acquire();
      case 4:
        return release();
      case 5:
        return collect();
      case 6:
        seek();
        return end();
      default:
        if (random() % 25 == 0) die();  // one step in 200
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(model)

BOOST_AUTO_TEST_CASE(random_calls_do_what_the_model_does) {
  int deaths = 0;
  for (unsigned seed = 0; seed < 30; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Game game(seed);
      for (int i = 0; i < 3000; ++i) game.step();
      deaths += game.deaths;
    }
  }
  BOOST_TEST(deaths > 300);  // of some 450
}

namespace {

/// The stager's thread: publishes `total` steps, sleeping on the bell while nothing is free.
void produce(Pair& pair, std::uint64_t total, std::uint64_t& returned_steps) {
  std::uint64_t step = 0, returned = 0;
  std::vector<ring::Returned> batches;
  while (returned < total) {
    batches.clear();
    pair.producer.collect(batches);
    for (const auto& each : batches) returned_steps += each.batch.epoch * 100 + each.batch.step;
    returned += batches.size();
    while (step < total && pair.publish(step, 1, step + 1 == total)) ++step;
    // At every count that may be asked for: never more than are out.
    const auto after = static_cast<std::uint32_t>(std::min(1 + step % 3, step - returned));
    if (returned == total || !pair.producer.arm_bell(after)) continue;
    pollfd entry{pair.bell.fd(), POLLIN, 0};
    poll(&entry, 1, -1);  // a lost bell would hang the test
    pair.bell.drain();
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(two_threads_lose_neither_batches_nor_wake_ups) {
  for (const std::uint32_t slots : {1u, 2u, 5u}) {
    Pair pair(slots, Pair::SameAddress{});
    constexpr std::uint64_t total = 4000;
    std::uint64_t returned = 0, next = 0;
    std::thread stager([&] { produce(pair, total, returned); });
    std::mt19937 random(slots);
    std::vector<ring::Lease> held;
    bool right = true;
    for (bool end = false; !end;) {
      ring::Lease lease;
      const auto got = pair.acquire(lease);
      const bool came = got == ring::Acquired::batch;
      if (came) {
        right = right && got == next++;
        scribble(pair.consumer, lease.slot);
        held.push_back(lease);
      } else if (got == ring::Acquired::nothing && held.empty()) {
        pair.consumer.wait(1h);  // a lost wake-up would hang the test
      }
      end = got == ring::Acquired::end;
      if (held.empty() || (!end && came && random() % 2 == 0)) continue;
      std::swap(held[random() % held.size()], held.back());
      pair.consumer.release(held.back().slot, true);
      held.pop_back();
    }
    for (const auto& lease : held) pair.consumer.release(lease.slot, true);
    stager.join();
    BOOST_TEST(right);
    BOOST_TEST(next == total);
    BOOST_TEST(returned == total * (total - 1) / 2);
  }
}

BOOST_AUTO_TEST_CASE(any_thread_may_release) {
  Pair pair(6, Pair::SameAddress{});
  constexpr std::uint64_t total = 3000;
  std::uint64_t returned = 0;
  std::thread stager([&] { produce(pair, total, returned); });
  std::mutex mutex;
  std::deque<ring::Lease> leases;
  bool over = false;
  const auto give_back = [&] {
    for (;;) {
      std::unique_lock lock(mutex);
      if (leases.empty() && over) return;
      if (leases.empty()) {
        lock.unlock();
        std::this_thread::yield();
        continue;
      }
      const auto lease = leases.front();
      leases.pop_front();
      lock.unlock();
      scribble(pair.consumer, lease.slot);
      pair.consumer.release(lease.slot, true);
    }
  };
  std::thread first(give_back), second(give_back);
  bool right = true;
  for (std::uint64_t next = 0; next < total;) {
    ring::Lease lease;
    const auto got = pair.acquire(lease);
    if (got == ring::Acquired::exhausted) std::this_thread::yield();
    if (got == ring::Acquired::nothing) pair.consumer.wait(1h);
    if (got != ring::Acquired::batch) continue;
    right = right && got == next++;
    const std::lock_guard lock(mutex);
    leases.push_back(lease);
  }
  {
    const std::lock_guard lock(mutex);
    over = true;
  }
  for (auto* thread : {&first, &second, &stager}) thread->join();
  BOOST_TEST(right);
  BOOST_TEST(returned == total * (total - 1) / 2);
}

BOOST_AUTO_TEST_SUITE_END()
