#include <boost/test/unit_test.hpp>

#include "service/blueprint/world.hpp"
#include "service/books/epoch_book.hpp"
#include "service/books/messages.hpp"

using namespace service_test;
using namespace headrace::service::books;

BOOST_AUTO_TEST_SUITE(left_out)

BOOST_AUTO_TEST_CASE(nodes_know_together_what_a_selection_knows) {
  std::mt19937_64 random(21);
  for (int round = 0; round < 60; ++round) {
    const auto samples = 50 + random() % 3000;
    const auto trainers = static_cast<std::uint32_t>(1 + random() % 3);
    const auto shuffle = random() % 2 ? plan::Shuffle::global : plan::Shuffle::none;
    const auto last = random() % 2 ? plan::Last::drop : plan::Last::partial;
    const std::vector<double> weights(1 + random() % 4, 1.0);
    const auto drawn = blueprint(samples, {stream("a", random_select(random, samples), 3, shuffle, last)}, weights);
    if (drawn.streams[0].samples < 3 * trainers) continue;
    LeftOut what{0, 1, random() % 5, {}};
    const auto steps = drawn.streams[0].schedule(trainers).steps();
    for (std::uint32_t t = 0; t < trainers; ++t) what.first_steps.push_back(random() % 2 ? 0 : random() % steps);
    const auto stagers = static_cast<std::uint32_t>(weights.size());
    const auto whole = left_out_hash(drawn, 9, what, 0, stagers);
    std::uint64_t sum = 0;
    for (std::uint32_t s = 0; s < stagers; ++s) sum += left_out_hash(known_by_data(drawn, s), 9, what, s, s + 1);
    BOOST_TEST(sum == whole);
    BOOST_TEST((left_out_rows(drawn, what) == 0) == (whole == 0));
    BOOST_TEST((std::get<AskLeftOut>(decode_from_head(encode(FromHead(AskLeftOut{what})))).what == what));
  }
}

/// What the trainers were to release, position by position.
std::uint64_t released(const Blueprint& drawn, std::uint64_t seed, const LeftOut& what) {
  const auto trainers = static_cast<std::uint32_t>(what.first_steps.size());
  const auto schedule = drawn.streams[0].schedule(trainers);
  const auto order = drawn.streams[0].epoch_order(seed, what.epoch);
  std::uint64_t sum = 0;
  for (std::uint32_t t = 0; t < trainers; ++t)
    for (auto step = what.first_steps[t]; step < schedule.steps(); ++step) {
      auto share = schedule.share(step, t);
      share.padding = 0;
      sum += hash_samples(expected_samples(drawn, 0, share, order.get()));
    }
  return sum;
}

BOOST_AUTO_TEST_CASE(a_mix_adds_up_to_what_is_released) {
  std::mt19937_64 random(22);
  for (int round = 0; round < 80; ++round) {
    const auto samples = 50 + random() % 500;
    const auto trainers = static_cast<std::uint32_t>(1 + random() % 3);
    const auto last = random() % 2 ? plan::Last::drop : plan::Last::partial;
    const std::vector<double> weights(1 + random() % 4, 1.0);
    auto drawn = blueprint(samples, {stream("a", "", 3, plan::Shuffle::global, last)}, weights);
    std::vector<std::uint64_t> shares(1 + random() % 4);
    for (auto& share : shares) share = 1 + random() % 5;
    make_mixed(drawn, 0, shares, random() % 2 ? plan::Mix::Within::batch : plan::Mix::Within::epoch,
               10 + random() % (3 * samples));
    LeftOut what{0, 1, random() % 7, {}};
    const auto steps = drawn.streams[0].schedule(trainers).steps();
    for (std::uint32_t t = 0; t < trainers; ++t) what.first_steps.push_back(random() % 2 ? 0 : random() % steps);
    const auto stagers = static_cast<std::uint32_t>(weights.size());
    std::vector<std::uint64_t> hashes(shares.size());
    for (std::uint32_t s = 0; s < stagers; ++s) {
      const auto part = slab_hashes(drawn, 0, s);
      for (std::size_t c = 0; c < hashes.size(); ++c) hashes[c] += part[c];
    }
    std::uint64_t left = 0;
    for (std::uint32_t s = 0; s < stagers; ++s) left += left_out_hash(known_by_data(drawn, s), 9, what, s, s + 1);
    BOOST_TEST(whole_hash(drawn, 9, what, hashes) - left == released(drawn, 9, what));
    BOOST_TEST((left == 0 || !nothing_left_out(drawn, 9, what)));
  }
}

BOOST_AUTO_TEST_CASE(what_is_remembered_of_a_mix_changes_nothing) {
  std::mt19937_64 random(24);
  for (int round = 0; round < 20; ++round) {
    const auto samples = 50 + random() % 500;
    auto drawn = blueprint(samples, {stream("a", "", 3, plan::Shuffle::global, plan::Last::drop)}, {1, 1});
    std::vector<std::uint64_t> shares(1 + random() % 4);
    for (auto& share : shares) share = 1 + random() % 5;
    make_mixed(drawn, 0, shares, plan::Mix::Within::batch, 10 + random() % samples);
    const auto mine = known_by_data(drawn, 1);
    Walked walked;
    // Epochs as they come, with some again, and one that is far away.
    for (std::uint64_t step = 0; step < 40; ++step) {
      const auto epoch = random() % 10 == 0 ? 1000 + step : step - random() % (1 + std::min<std::uint64_t>(step, 3));
      const LeftOut what{0, 1, epoch, {random() % 2}};
      BOOST_TEST(left_out_hash(mine, mine.strata[0], 9, what, 1, 2, &walked) == left_out_hash(mine, 9, what, 1, 2));
    }
  }
}

BOOST_AUTO_TEST_CASE(sums_of_walks_are_used_and_forgotten) {
  Walked walked;
  BOOST_TEST((walked.first({0, 1, 7}, 0) == 0u));
  BOOST_TEST(!walked.first({0, 1, 7}, 30).has_value());
  walked.note({0, 1, 7}, 30, 11);
  walked.note({0, 2, 7}, 30, 12);
  walked.note({1, 1, 7}, 30, 13);
  BOOST_TEST((walked.first({0, 1, 7}, 30) == 11u && walked.first({0, 2, 7}, 30) == 12u));
  BOOST_TEST(!walked.first({0, 1, 7}, 29).has_value());
  for (std::uint64_t cycle = 8; cycle < 20; ++cycle) walked.note({0, 1, cycle}, 5, cycle);
  BOOST_TEST(!walked.first({0, 1, 7}, 30).has_value());  // long over
  BOOST_TEST(
      (walked.first({0, 2, 7}, 30) == 12u && walked.first({1, 1, 7}, 30) == 13u && walked.first({0, 1, 19}, 5) == 19u));
  int made = 0;
  for (int i = 0; i < 3; ++i) BOOST_TEST(walked.whole(0, 1, [&] { return ++made, 5u; }) == 5u);
  BOOST_TEST(made == 1);
  // What a stretch at the end has is told by what is noted of the ones in front: not looked at again.
  auto drawn = blueprint(100, {stream("a", "", 3, plan::Shuffle::global, plan::Last::drop)}, {1, 1});
  make_mixed(drawn, 0, {1}, plan::Mix::Within::batch, 60);
  const auto mine = known_by_data(drawn, 0);
  const auto second = [&](std::uint64_t wrong) {  // of its stretches, the first is the end of permutation 0
    Walked known;
    left_out_hash(mine, mine.strata[0], 9, {0, 1, 0, {0}}, 0, 1, &known);
    if (wrong > 0) known.note({0, 0, 0}, 60, wrong);
    return left_out_hash(mine, mine.strata[0], 9, {0, 1, 1, {0}}, 0, 1, &known);
  };
  BOOST_TEST(second(0) != second(1));
}

BOOST_AUTO_TEST_CASE(a_verdict_waits_for_all_nodes) {
  const auto drawn = blueprint(100, {stream("a", "", 30, plan::Shuffle::global, plan::Last::drop)}, {1, 1});
  const auto here = known_by_data(drawn, 0);
  std::uint64_t all = 0;
  for (std::uint64_t sample = 0; sample < 100; ++sample) all += sample_hash(sample);
  const LeftOut what{0, 1, 0, {0}};
  const auto left = left_out_hash(drawn, 0, what, 0, 2);
  for (const bool right : {true, false}) {
    EpochBook book(here, 0, {{all}}, 2);
    TrainerEpoch report{.stream = 0, .rank = 0, .world_size = 1, .session = 1, .tally = {}};
    report.tally.rows = 90;
    report.tally.hash = all - left + (right ? 0 : 1);
    BOOST_TEST(!book.add(report).has_value());
    const auto question = book.question();
    BOOST_TEST((question && *question == what));
    BOOST_TEST(!book.question().has_value());
    BOOST_TEST(book.waiting());
    const auto part = left_out_hash(here, 0, what, 0, 1);
    BOOST_TEST(!book.answer(what, part).has_value());
    const auto verdict = book.answer(what, left - part);
    BOOST_TEST((verdict && verdict->exactly_once == right));
    BOOST_TEST(!book.waiting());
    BOOST_TEST(book.epochs_audited() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(what_is_drawn_adds_up_to_what_is_released) {
  std::mt19937_64 random(23);
  for (int round = 0; round < 60; ++round) {
    const auto samples = 60 + random() % 500;
    const auto trainers = static_cast<std::uint32_t>(1 + random() % 3);
    const auto last = random() % 2 ? plan::Last::drop : plan::Last::partial;
    const std::uint32_t stagers = 1 + random() % 4;
    auto drawn =
        blueprint(samples, {stream("a", "", 3, plan::Shuffle::global, last)}, std::vector<double>(stagers, 1.0));
    const std::vector<plan::Draw::Cell> cells{{0, (samples + 1) / 2, 1 + random() % samples},
                                              {1, samples / 2, random() % samples}};
    const auto draw = std::make_shared<const plan::Draw>(
        cells, random(), random() % 2 ? plan::Draw::Redraw::epoch : plan::Draw::Redraw::never);
    drawn.streams[0].draw = draw;
    drawn.streams[0].samples = draw->positions();
    if (drawn.streams[0].samples < 3 * trainers) continue;
    // One node holds all slabs: even samples are of cell 0, odd ones of cell 1.
    plan::NodeDraw node{draw, 0};
    std::vector<std::uint64_t> before(2);
    for (const auto& slab : drawn.placement.slabs()) {
      plan::DrawnSlab held{slab, {}, {}};
      for (auto sample = slab.first; sample < slab.last; ++sample)
        held.cells.push_back(static_cast<std::uint16_t>(sample % 2));
      held.places = plan::places_of(*draw, held.cells, before);
      for (const auto cell : held.cells) ++before[cell];
      node.slabs.push_back(std::make_shared<const plan::DrawnSlab>(std::move(held)));
    }
    const auto strata = [&](std::uint64_t epoch) {
      const auto here = node.epoch(epoch);
      std::vector<std::uint64_t> rows;
      for (const auto& slab : *here) rows.push_back(slab.size());
      return node.strata(here, rows);
    };
    drawn.strata[0] = strata(0);
    LeftOut what{0, 1, random() % 5, {}};
    const auto schedule = drawn.streams[0].schedule(trainers);
    for (std::uint32_t t = 0; t < trainers; ++t)
      what.first_steps.push_back(random() % 2 ? 0 : random() % schedule.steps());
    std::uint64_t whole = 0, left = 0, delivered = 0;
    for (std::uint32_t s = 0; s < stagers; ++s) {
      whole += slab_hashes(drawn, 0, s)[0];
      left += left_out_hash(drawn, strata(what.epoch), 9, what, s, s + 1);
    }
    // What the trainers were to release, copy by copy.
    const auto in_epoch = strata(what.epoch);
    const auto order = drawn.streams[0].epoch_order(9, what.epoch);
    std::vector<std::int64_t> copies;
    const auto here = node.epoch(what.epoch);
    for (const auto& slab : *here)
      for (auto sample = slab.slab().first; sample < slab.slab().last; ++sample)
        copies.insert(copies.end(), slab.count(sample), static_cast<std::int64_t>(sample));
    BOOST_TEST(copies.size() == in_epoch.size());
    for (std::uint32_t t = 0; t < trainers; ++t)
      for (auto step = what.first_steps[t]; step < schedule.steps(); ++step) {
        const auto share = schedule.share(step, t);
        std::vector<std::uint64_t> ordinals(share.rows);
        order->evaluate(share.first, ordinals);
        for (const auto ordinal : ordinals) delivered += headrace::hash_samples({&copies[ordinal], 1});
      }
    BOOST_TEST(whole - left == delivered);
    BOOST_TEST((left == 0 || !nothing_left_out(drawn, 9, what)));
  }
}

BOOST_AUTO_TEST_SUITE_END()
