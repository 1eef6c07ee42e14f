// A feed and its trainer over a real ring, a real store, and (last) the exchange between nodes.
#include <boost/test/unit_test.hpp>
#include <set>

#include "base/error.hpp"
#include "service/delivery/trainer.hpp"
#include "tell_all.hpp"

using namespace service_test;
using namespace headrace::service::books;

BOOST_AUTO_TEST_SUITE(feeding)

namespace {

constexpr std::uint32_t slots = 4, batch = 7;

/// One stager alone: each rank of the test has one of its own.
struct Alone {
  Stager stager;
  Workers workers{2};
  Berth berth;

  explicit Alone(plan::Shuffle shuffle = plan::Shuffle::global, plan::Last last = plan::Last::partial,
                 std::uint64_t epochs = 0, std::uint64_t samples = 101)
      : stager(mpi::Comm::self(), false, samples, {stream("train", "3:,0:1", batch, shuffle, last, epochs)}),
        berth(stager.drawn.schema, batch, slots, workers) {}

  plan::Schedule schedule(std::uint32_t world) const { return stager.drawn.streams[0].schedule(world); }
  Ledger ledger(std::uint32_t world) const { return {schedule(world).steps(), stager.drawn.streams[0].epochs}; }
  Trainer trainer(const Ledger& ledger, std::uint32_t rank = 0, std::uint32_t world = 1) {
    return {stager, berth, workers, 0, rank, world, ledger, slots};
  }
};

Step step_of(const ring::Lease& lease) {
  return {lease.epoch, lease.step};
}
Step after(Step step, std::uint64_t steps) {
  return step.step + 1 < steps ? Step{step.epoch, step.step + 1} : Step{step.epoch + 1, 0};
}

/// What a whole epoch of a trainer (from a step on) must add up to.
void check_tally(const Trainer& trainer, const Tally& tally) {
  const auto& facts = trainer.stager.drawn.streams[0];
  std::optional<plan::EpochOrder> order;
  if (facts.shuffle == plan::Shuffle::global)
    order.emplace(facts.samples, plan::epoch_key(Trainer::seed, facts.name, tally.epoch));
  std::uint64_t rows = 0, hash = 0;
  for (auto step = tally.first; step < trainer.schedule.steps(); ++step) {
    auto share = trainer.schedule.share(step, trainer.rank);
    share.padding = 0;
    rows += share.rows;
    hash += hash_samples(expected_samples(trainer.stager.drawn, 0, share, order ? &*order : nullptr));
  }
  BOOST_TEST(tally.rows == rows);
  BOOST_TEST(tally.hash == hash);
  BOOST_TEST(tally.wrong == 0u);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(alone, *boost::unit_test::precondition(few_ranks))

BOOST_AUTO_TEST_CASE(batches_come_in_order_and_epochs_are_reported) {
  std::mt19937_64 random(70);
  for (const auto shuffle : {plan::Shuffle::global, plan::Shuffle::none})
    for (const auto last : {plan::Last::drop, plan::Last::partial, plan::Last::pad}) {
      Alone alone(shuffle, last);
      auto trainer = alone.trainer(alone.ledger(3), 1, 3);
      const auto steps = trainer.schedule.steps();
      Step expected;
      std::vector<ring::Lease> held;
      while (expected.epoch < 4) {
        const auto lease = trainer.take();
        BOOST_TEST_REQUIRE(lease.has_value());
        BOOST_TEST((step_of(*lease) == expected));
        expected = after(expected, steps);
        held.push_back(*lease);
        while (held.size() == slots || (!held.empty() && random() % 2 == 0)) {  // in any order
          const auto at = held.begin() + static_cast<std::ptrdiff_t>(random() % held.size());
          trainer.release(*at);
          held.erase(at);
        }
      }
      for (const auto& lease : held) trainer.release(lease);
      BOOST_TEST(trainer.wrong == 0u);
      const auto ledger = trainer.end();  // collects the last releases
      BOOST_TEST((ledger.position() == Step{4, 0}));
      BOOST_TEST(trainer.reports->epochs.size() == 4u);
      for (const auto& report : trainer.reports->epochs) check_tally(trainer, report.tally);
    }
}

BOOST_AUTO_TEST_CASE(seeks_with_leases_held) {
  std::mt19937_64 random(71);
  Alone alone;
  auto trainer = alone.trainer(alone.ledger(1));
  const auto steps = trainer.schedule.steps();
  std::vector<ring::Lease> old;
  Step expected;
  for (int round = 0; round < 40; ++round) {
    // Some batches, of which up to two stay leased over the seek.
    std::vector<ring::Lease> kept;
    std::uint64_t released = 0;
    for (auto more = random() % 20; more > 0; --more) {
      const auto lease = trainer.take();
      BOOST_TEST_REQUIRE(lease.has_value());
      BOOST_TEST((step_of(*lease) == expected));
      expected = after(expected, steps);
      if (kept.size() < 2 && random() % 4 == 0) {
        kept.push_back(*lease);
      } else {
        trainer.release(*lease);
        ++released;
      }
      if (!old.empty()) {  // of the count before: does not count any more
        trainer.release(old.back());
        old.pop_back();
      }
    }
    for (const auto& lease : old) trainer.release(lease);
    old = kept;
    expected = {random() % 3, random() % steps};
    for (const auto& tally : trainer.seek(expected)) BOOST_TEST(tally.wrong == 0u);
  }
  // A whole count after the last seek, undisturbed by what was leased before it.
  const auto begin = expected;
  {
    const std::lock_guard lock(trainer.reports->mutex);
    trainer.reports->epochs.clear();
  }
  while (expected.epoch < begin.epoch + 2) {
    const auto lease = trainer.take();
    BOOST_TEST_REQUIRE(lease.has_value());
    BOOST_TEST((step_of(*lease) == expected));
    expected = after(expected, steps);
    trainer.release(*lease);
    if (!old.empty()) {
      trainer.release(old.back());
      old.pop_back();
    }
  }
  BOOST_TEST(trainer.wrong == 0u);
  trainer.end();
  BOOST_TEST(trainer.reports->epochs.size() == 2u);
  BOOST_TEST(trainer.reports->epochs.front().tally.first == begin.step);
  for (const auto& report : trainer.reports->epochs) check_tally(trainer, report.tally);
}

BOOST_AUTO_TEST_CASE(what_a_dead_trainer_held_comes_again) {
  std::mt19937_64 random(72);
  Alone alone;
  auto ledger = alone.ledger(1);
  const auto steps = alone.schedule(1).steps();
  std::set<Step> released;
  std::uint64_t epochs = 0;
  for (int life = 0; life < 60; ++life) {
    auto trainer = alone.trainer(ledger);
    // What comes is, in order, what was not released by those before.
    Step expected;
    const auto next = [&] {
      while (released.contains(expected)) expected = after(expected, steps);
      return expected;
    };
    std::vector<ring::Lease> held;
    for (auto more = random() % 30; more > 0; --more) {
      const auto lease = trainer.take();
      BOOST_TEST_REQUIRE(lease.has_value());
      BOOST_TEST((step_of(*lease) == next()));
      expected = after(expected, steps);
      held.push_back(*lease);
      while (held.size() == slots || (!held.empty() && random() % 2 == 0)) {
        const auto at = held.begin() + static_cast<std::ptrdiff_t>(random() % held.size());
        trainer.release(*at);
        released.insert(step_of(*at));
        held.erase(at);
      }
    }
    for (const auto& lease : held) trainer.scribble(lease.slot);  // and dies
    ledger = trainer.end();
    BOOST_TEST(trainer.wrong == 0u);
    for (const auto& report : trainer.reports->epochs) check_tally(trainer, report.tally);
    epochs += trainer.reports->epochs.size();
    BOOST_TEST((ledger.position() == [&] {
      Step at;
      while (released.contains(at)) at = after(at, steps);
      return at;
    }()));
  }
  BOOST_TEST(epochs > 5u);
}

BOOST_AUTO_TEST_CASE(counted_epochs_end) {
  Alone alone(plan::Shuffle::global, plan::Last::pad, 2);
  auto trainer = alone.trainer(alone.ledger(2), 1, 2);
  const auto steps = trainer.schedule.steps();
  std::uint64_t count = 0;
  while (const auto lease = trainer.take()) {
    trainer.release(*lease);
    ++count;
  }
  BOOST_TEST(count == 2 * steps);
  BOOST_TEST(!trainer.take());  // and stays so
  // Back from the end, and to the end itself.
  trainer.seek({1, steps - 1});
  BOOST_TEST((step_of(trainer.take().value()) == Step{1, steps - 1}));
  BOOST_TEST(!trainer.take());
  trainer.seek({2, 0});
  BOOST_TEST(!trainer.take());
  trainer.seek({0, 0});
  BOOST_TEST((step_of(trainer.take().value()) == Step{0, 0}));
  BOOST_TEST(trainer.wrong == 0u);
  trainer.end();
  BOOST_TEST(trainer.reports->epochs.size() == 2u);  // [1, steps-1] was leased at the seek: it does not count
}

BOOST_AUTO_TEST_CASE(a_trainer_that_is_through_does_not_idle) {
  Alone alone(plan::Shuffle::none, plan::Last::partial, 1);
  auto trainer = alone.trainer(alone.ledger(1));
  while (const auto lease = trainer.take()) trainer.release(*lease);
  BOOST_TEST(trainer.feed->idle_seconds() == 0);
  trainer.end();
}

BOOST_AUTO_TEST_CASE(nonsense_in_the_freed_queue_is_a_violation) {
  Alone alone;
  const auto damage = [&](int kind, Trainer& trainer) {
    const ring::View view(trainer.consumer->data(), trainer.stager.drawn.schema.size());
    auto& control = view.control();
    const auto tail = control.freed_tail.load();
    switch (kind) {
      case 0:
        control.freed_tail.store(tail + 1000);
        break;
      case 1:
        control.freed_tail.store(tail - 1);
        break;
      case 2:
        view.freed(tail).slot.store(0xffffffff), view.freed(tail).use.store(1);
        control.freed_tail.store(tail + 1);
        break;
      default:
        view.freed(tail).slot.store(0), view.freed(tail).use.store(99);
        control.freed_tail.store(tail + 1);
    }
  };
  for (int kind = 0; kind < 4; ++kind) {
    auto hostile = alone.trainer(alone.ledger(1));
    const auto lease = hostile.take();
    BOOST_TEST_REQUIRE(lease.has_value());
    damage(kind, hostile);
    hostile.feed->pump();
    const auto told = [&] {
      const std::lock_guard lock(hostile.reports->mutex);
      return hostile.reports->violations.size();
    };
    // The bell may have made a worker look first: it says so once all the same, or once a fill under way is done.
    while (told() == 0) hostile.feed->pump();
    BOOST_TEST(hostile.seek({1, 1}).empty());  // nothing is taken from it any more
    const auto ledger = hostile.end();
    BOOST_TEST(told() == 1u);
    BOOST_TEST((ledger.position() == Step{0, 0}));
    // The ring serves the next one.
    auto next = alone.trainer(ledger);
    for (std::uint64_t step = 0; step < 6; ++step) {
      const auto right = next.take();
      BOOST_TEST_REQUIRE(right.has_value());
      BOOST_TEST(right->step == step);
      next.release(*right);
    }
    BOOST_TEST(next.wrong == 0u);
    next.end();
  }
}

BOOST_AUTO_TEST_CASE(seeks_that_cannot_be_are_refused_and_change_nothing) {
  Alone alone;
  auto trainer = alone.trainer(alone.ledger(1));
  const auto steps = trainer.schedule.steps();
  BOOST_CHECK_THROW(trainer.feed->seek(1, {0, 0}), Error);  // the generation that is
  BOOST_CHECK_THROW(trainer.feed->seek(0, {0, 0}), Error);
  BOOST_CHECK_THROW(trainer.feed->seek(2, {0, steps}), Error);
  BOOST_CHECK_THROW(trainer.feed->seek(2, {~std::uint64_t{0}, 0}), Error);
  BOOST_CHECK_THROW(trainer.feed->seek(2, {~std::uint64_t{0}, steps - 1}), Error);
  for (std::uint64_t step = 0; step < 5; ++step) {
    const auto lease = trainer.take();
    BOOST_TEST_REQUIRE(lease.has_value());
    BOOST_TEST((step_of(*lease) == Step{0, step}));
    trainer.release(*lease);
  }
  trainer.seek({std::uint64_t{1} << 61, steps - 1});
  BOOST_TEST((step_of(trainer.take().value()) == Step{std::uint64_t{1} << 61, steps - 1}));
  BOOST_TEST((step_of(trainer.take().value()) == Step{(std::uint64_t{1} << 61) + 1, 0}));
  trainer.end();
}

BOOST_AUTO_TEST_CASE(ends_in_the_middle_of_everything) {
  std::mt19937_64 random(73);
  std::vector<std::weak_ptr<Feed>> feeds;
  {
    Alone alone;
    auto ledger = alone.ledger(1);
    for (int life = 0; life < 200; ++life) {
      auto trainer = alone.trainer(ledger);
      feeds.push_back(trainer.feed);
      for (auto more = random() % 4; more > 0; --more) {
        const auto lease = trainer.take();
        BOOST_TEST_REQUIRE(lease.has_value());
        if (random() % 2) trainer.release(*lease);
        if (random() % 3 == 0) trainer.seek({random() % 2, random() % trainer.schedule.steps()});
      }
      ledger = trainer.end();  // at once: fills are under way
      BOOST_TEST(trainer.wrong == 0u);
      BOOST_TEST(alone.berth.ring.filling() == 0u);
      BOOST_TEST(alone.berth.ring.free() == alone.berth.ring.slots());
    }
  }
  std::size_t left = 0;
  for (const auto& feed : feeds) left += !feed.expired();
  BOOST_TEST(left == 0u);  // nothing holds itself
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(a_trainer_on_every_node) {
  const auto world = mpi::Comm::world();
  constexpr std::uint64_t epochs = 3;
  const auto trainers = static_cast<std::uint32_t>(world.size());
  for (const bool split : {true, false})
    for (const auto last : {plan::Last::drop, plan::Last::pad}) {
      Stager stager(world, split, 900, {stream("train", "5:,0:1", batch, plan::Shuffle::global, last, epochs)});
      Workers workers(2);
      Berth berth(stager.drawn.schema, batch, slots, workers);
      exchange::Settings settings;
      settings.answer_bytes = 3 * stager.supply->answer_row_bytes();
      settings.send_buffers = 2;
      int goodbyes = 0;
      exchange::Engine engine(
          world, settings, workers,
          [&](const exchange::Request& request, std::span<std::byte> out, exchange::Answers::Done done) {
            return stager.supply->pack(request, out, std::move(done));
          },
          [&](int, std::string) { ++goodbyes; });
      stager.supply->connect(engine);
      world.barrier();
      Trainer trainer(stager, berth, workers, 0, stager.topology.me(), trainers,
                      Ledger(stager.drawn.streams[0].schedule(trainers).steps(), epochs), slots);
      std::uint64_t batches = 0;
      std::jthread training([&] {
        while (const auto lease = trainer.take()) {
          trainer.release(*lease);
          ++batches;
        }
        tell_all(engine, world, "goodbye");
      });
      engine.run([&] { return goodbyes == world.size(); });
      training.join();
      BOOST_TEST(trainer.wrong == 0u);
      BOOST_TEST(batches == epochs * trainer.schedule.steps());
      trainer.end();
      BOOST_TEST(trainer.reports->epochs.size() == epochs);
      for (const auto& report : trainer.reports->epochs) check_tally(trainer, report.tally);
      world.barrier();
    }
}

BOOST_AUTO_TEST_SUITE_END()
