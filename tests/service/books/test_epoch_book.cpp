// The audit: whole epochs of random schedules pass, and a single sample too few, too many or out of place does not.
#include <boost/test/unit_test.hpp>

#include "service/blueprint/world.hpp"
#include "service/books/epoch_book.hpp"
#include "texts.hpp"

using namespace service_test;
using namespace headrace::service::books;

BOOST_AUTO_TEST_SUITE(epoch_book)

namespace {

constexpr std::uint64_t seed = 77;

/// One stream with one number of trainers, and what its trainers would report.
struct Scene {
  Blueprint drawn;
  std::uint32_t world;
  plan::Schedule schedule;
  std::uint64_t epoch;
  std::optional<plan::EpochOrder> order;

  Scene(const Blueprint& b, std::uint32_t trainers, std::uint64_t e)
      : drawn(b), world(trainers), schedule(drawn.streams[0].schedule(trainers)), epoch(e) {
    if (schedule.shuffle() == plan::Shuffle::global)
      order.emplace(schedule.samples(), plan::epoch_key(seed, drawn.streams[0].name, epoch));
  }
  std::vector<std::int64_t> samples(std::uint64_t step, std::uint32_t rank) const {
    auto share = schedule.share(step, rank);
    share.padding = 0;
    return expected_samples(drawn, 0, share, order ? &*order : nullptr);
  }
  TrainerEpoch report(std::uint32_t rank, std::uint64_t first = 0) const {
    TrainerEpoch report{.stream = 0, .rank = rank, .world_size = world, .session = 1};
    report.tally = {.epoch = epoch, .first = first, .low = schedule.steps()};
    for (auto step = first; step < schedule.steps(); ++step) {
      const auto some = samples(step, rank);
      report.tally.rows += some.size();
      report.tally.hash += hash_samples(some);
    }
    report.seconds = 1 + rank;
    report.trainer_wait = 0.5;
    return report;
  }
  EpochBook book() const { return EpochBook(drawn, seed, {slab_hashes(drawn, 0, 0)}); }
};

Scene random_scene(std::mt19937_64& random) {
  for (;;) try {
      const auto samples = 1 + random() % 400;
      const auto last = std::array{plan::Last::drop, plan::Last::partial, plan::Last::pad}[random() % 3];
      const auto shuffle = random() % 2 ? plan::Shuffle::global : plan::Shuffle::none;
      const auto batch = static_cast<std::uint32_t>(1 + random() % 20);
      return {blueprint(samples, {stream("train", random_select(random, samples), batch, shuffle, last)}, {1}),
              static_cast<std::uint32_t>(1 + random() % 6), random() % 5};
    } catch (const Error&) {  // drop with a global batch that is larger than the stream
    }
}

std::optional<Verdict> add_all(EpochBook& book, const std::vector<TrainerEpoch>& reports) {
  std::optional<Verdict> verdict;
  for (const auto& report : reports) {
    BOOST_TEST(!verdict.has_value());  // only the last report completes the epoch
    verdict = book.add(report);
  }
  return verdict;
}

}  // namespace

BOOST_AUTO_TEST_CASE(whole_epochs_pass) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 300; ++round) {
    const auto scene = random_scene(random);
    auto book = scene.book();
    std::vector<TrainerEpoch> reports;
    for (std::uint32_t rank = scene.world; rank-- > 0;) reports.push_back(scene.report(rank));
    const auto verdict = add_all(book, reports);
    BOOST_TEST_REQUIRE(verdict.has_value());
    BOOST_TEST((verdict->exactly_once && verdict->complete), verdict->text);
    BOOST_TEST(verdict->samples == scene.schedule.rows_of_epoch());
    BOOST_TEST(verdict->bytes == verdict->samples * row_bytes(scene.drawn.schema));
    BOOST_TEST(verdict->seconds == scene.world);
    BOOST_TEST(has(verdict->text, "every sample exactly once"));
    BOOST_TEST(book.all_exactly_once());
    BOOST_TEST(book.unfinished().empty());
  }
}

BOOST_AUTO_TEST_CASE(one_sample_missing_doubled_or_swapped_does_not_pass) {
  std::mt19937_64 random(12);
  for (int round = 0; round < 600; ++round) {
    const auto scene = random_scene(random);
    const auto from = random() % 3 == 0 ? random() % scene.schedule.steps() : 0;  // also after a seek
    auto book = scene.book();
    std::vector<TrainerEpoch> reports;
    for (std::uint32_t rank = 0; rank < scene.world; ++rank) reports.push_back(scene.report(rank, from));
    const auto rank = random() % scene.world;
    const auto some = scene.samples(from, static_cast<std::uint32_t>(rank));
    if (some.empty()) continue;
    auto& tally = reports[rank].tally;
    const auto sample = static_cast<std::uint64_t>(some[random() % some.size()]);
    switch (round % 4) {
      case 0:
        --tally.rows, tally.hash -= sample_hash(sample);
        break;
      case 1:
        ++tally.rows, tally.hash += sample_hash(sample);
        break;
      case 2:
        tally.hash += sample_hash(sample + 1) - sample_hash(sample);
        break;  // the neighbour instead
      default:
        tally.wrong = 1;
    }
    const auto verdict = add_all(book, reports);
    BOOST_TEST_REQUIRE(verdict.has_value());
    BOOST_TEST(!verdict->exactly_once);
    BOOST_TEST(has(verdict->text, "AUDIT FAILED"));
    BOOST_TEST(!book.all_exactly_once());
  }
}

BOOST_AUTO_TEST_CASE(trainers_that_sought_count_from_there) {
  std::mt19937_64 random(13);
  for (int round = 0; round < 300; ++round) {
    const auto scene = random_scene(random);
    auto book = scene.book();
    std::vector<TrainerEpoch> reports;
    bool all = true;
    for (std::uint32_t rank = 0; rank < scene.world; ++rank) {
      reports.push_back(scene.report(rank, random() % scene.schedule.steps()));
      all &= reports.back().tally.first == 0;
    }
    const auto verdict = add_all(book, reports);
    BOOST_TEST_REQUIRE(verdict.has_value());
    BOOST_TEST(verdict->exactly_once, verdict->text);
    BOOST_TEST(verdict->complete == all);
    BOOST_TEST(has(verdict->text, "from where the trainers began") == !all);
  }
}

BOOST_AUTO_TEST_CASE(left_epochs_are_named_until_they_are_done) {
  const Scene scene(blueprint(120, {stream("train", "", 10, plan::Shuffle::global, plan::Last::drop)}, {1}), 2, 3);
  auto book = scene.book();
  auto left = scene.report(1);
  left.abandoned = true;
  left.tally.low = 4;
  left.tally.rows = left.tally.hash = 0;
  BOOST_TEST(!book.add(left));
  BOOST_TEST(!book.add(scene.report(0)));
  const auto lines = book.unfinished();
  BOOST_TEST(lines.size() == 1u);
  BOOST_TEST(lines.front() == "train epoch 3: unfinished (trainer 0 finished it, trainer 1 left it at step 4)");
  BOOST_TEST(book.epochs_audited() == 0u);
  BOOST_TEST(book.all_exactly_once());
  // Taken up again where it was left.
  auto rest = scene.report(1, 4);
  const auto verdict = book.add(rest);
  BOOST_TEST_REQUIRE(verdict.has_value());
  BOOST_TEST((verdict->exactly_once && !verdict->complete));
  BOOST_TEST(book.unfinished().empty());
}

BOOST_AUTO_TEST_CASE(epochs_sessions_and_streams_are_told_apart) {
  const auto drawn = blueprint(60, {stream("train", "", 5, plan::Shuffle::global, plan::Last::drop)}, {1});
  const Scene three(drawn, 2, 3), four(drawn, 2, 4);
  auto book = three.book();
  BOOST_TEST(!book.add(three.report(0)));
  BOOST_TEST(!book.add(four.report(1)));
  auto other = three.report(1);
  other.session = 2;
  BOOST_TEST(!book.add(other));
  BOOST_TEST(book.unfinished().size() == 3u);
  BOOST_TEST(book.add(three.report(1)).value().exactly_once);
  BOOST_TEST(book.add(four.report(0)).value().exactly_once);
  BOOST_TEST(book.unfinished().size() == 1u);
  BOOST_TEST(book.epochs_audited() == 2u);
}

BOOST_AUTO_TEST_CASE(seeks_here_and_there_do_not_pile_up) {
  const auto drawn = blueprint(120, {stream("train", "", 10, plan::Shuffle::global, plan::Last::drop)}, {1});
  const Scene scene(drawn, 2, 3);
  EpochBook book(drawn, seed, {slab_hashes(drawn, 0, 0)}, 1, {.epochs = 100, .reports = 150, .lines = 5});
  constexpr std::uint64_t seeks = 86'000;
  for (std::uint64_t e = 0; e < seeks; ++e) {
    auto left = scene.report(static_cast<std::uint32_t>(e % 2));
    left.abandoned = true;
    left.tally.epoch = 10 + e * 7;
    left.tally.low = 4;
    BOOST_TEST(!book.add(left));
    BOOST_TEST(book.open() <= 100u);
  }
  const auto lines = book.unfinished();
  BOOST_TEST(lines.size() == 6u);
  BOOST_TEST(lines[4] ==
             "train epoch " + std::to_string(10 + (seeks - 1) * 7) + ": unfinished (trainer 1 left it at step 4)");
  BOOST_TEST(lines[5] == std::to_string(seeks - 5) + " more epochs that trainers began and not all of them finished");
  // What goes on is judged as ever.
  BOOST_TEST(!book.add(scene.report(0)));
  BOOST_TEST(book.add(scene.report(1)).value().exactly_once);
}

BOOST_AUTO_TEST_CASE(trainers_far_apart_are_remembered_as_long_as_there_is_room) {
  const auto drawn = blueprint(60, {stream("train", "", 5, plan::Shuffle::global, plan::Last::drop)}, {1});
  EpochBook book(drawn, seed, {slab_hashes(drawn, 0, 0)}, 1, {.epochs = 10, .reports = 1000});
  for (std::uint64_t e = 0; e < 30; ++e) BOOST_TEST(!book.add(Scene(drawn, 2, e).report(0)));
  std::uint64_t judged = 0;
  for (std::uint64_t e = 30; e-- > 20;) judged += book.add(Scene(drawn, 2, e).report(1)).has_value();
  BOOST_TEST(judged == 10u);
  BOOST_TEST(!book.add(Scene(drawn, 2, 3).report(1)));  // the other half is forgotten: no verdict, and no false one
  BOOST_TEST(book.all_exactly_once());
  BOOST_TEST(book.unfinished().back() == "20 more epochs that trainers began and not all of them finished");
}

BOOST_AUTO_TEST_CASE(totals_are_kept_and_verdicts_are_not) {
  const auto drawn = blueprint(60, {stream("train", "", 5, plan::Shuffle::global, plan::Last::drop)}, {1});
  EpochBook book(drawn, seed, {slab_hashes(drawn, 0, 0)});
  for (std::uint64_t e = 0; e < 50; ++e) {
    auto report = Scene(drawn, 1, e).report(0);
    report.tally.wrong = e == 7;
    BOOST_TEST(book.add(report).has_value());
  }
  const auto& totals = book.totals(0);
  BOOST_TEST((totals.epochs == 50 && totals.failed == 1 && totals.samples == 50 * 60));
  BOOST_TEST(totals.bytes == 50 * 60 * row_bytes(drawn.schema));
  BOOST_TEST(!book.all_exactly_once());
  BOOST_TEST(book.open() == 0u);
}

BOOST_AUTO_TEST_CASE(an_epoch_of_another_order_does_not_pass) {
  // With drop the hash depends on the epoch's own order: the samples of epoch 3 are not those of epoch 4.
  const auto drawn = blueprint(101, {stream("train", "", 10, plan::Shuffle::global, plan::Last::drop)}, {1});
  const Scene three(drawn, 1, 3), four(drawn, 1, 4);
  auto book = three.book();
  auto report = three.report(0);
  report.tally.epoch = four.epoch;
  BOOST_TEST(!book.add(report).value().exactly_once);
}

BOOST_AUTO_TEST_SUITE_END()
