// The ledger against a model that remembers every single step.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "base/hash.hpp"
#include "service/books/ledger.hpp"

using namespace headrace;
using namespace headrace::service::books;

BOOST_AUTO_TEST_SUITE(ledger)

namespace {

constexpr std::uint64_t rows_of(Step step) {
  return 1 + step.step % 7;
}
constexpr std::uint64_t hash_of(Step step) {
  return sample_hash(step.epoch * 1000 + step.step);
}

struct Model {
  std::uint64_t steps, epochs;
  Step begin;  // of the count
  std::set<Step> released{}, given{};

  bool exists(Step step) const { return epochs == 0 || step.epoch < epochs; }
  Step after(Step step) const {
    return step.step + 1 < steps ? Step{step.epoch, step.step + 1} : Step{step.epoch + 1, 0};
  }
  Step position() const {
    auto step = begin;
    while (released.contains(step)) step = after(step);
    return step;
  }
  std::optional<Step> next() const {
    auto step = begin;
    while (released.contains(step) || given.contains(step)) step = after(step);
    return exists(step) ? std::optional(step) : std::nullopt;
  }
  std::uint64_t first(std::uint64_t epoch) const { return epoch == begin.epoch ? begin.step : 0; }
  std::uint64_t count(std::uint64_t epoch) const {
    return static_cast<std::uint64_t>(
        std::count_if(released.begin(), released.end(), [&](Step step) { return step.epoch == epoch; }));
  }
  bool complete(std::uint64_t epoch) const { return count(epoch) == steps - first(epoch); }
  bool tally_is_right(const Tally& tally) const {
    std::uint64_t rows = 0, hash = 0;
    for (const auto step : released)
      if (step.epoch == tally.epoch) rows += rows_of(step), hash += hash_of(step);
    return tally.rows == rows && tally.hash == hash && tally.first == first(tally.epoch) &&
           tally.wrong == count(tally.epoch);
  }
  std::set<std::uint64_t> unfinished() const {
    std::set<std::uint64_t> some;
    for (const auto step : released)
      if (!complete(step.epoch)) some.insert(step.epoch);
    return some;
  }
  Step after_leaving() const {
    if (!released.empty()) return {released.rbegin()->epoch + 1, 0};
    return begin.step > 0 ? Step{begin.epoch + 1, 0} : begin;
  }
  void seek(Step to) {
    begin = to;
    released.clear();
    given.clear();
  }
};

struct Run {
  std::mt19937_64 random;
  Model model;
  Ledger ledger;
  int mistakes = 0;

  Run(std::uint64_t seed, std::uint64_t steps, std::uint64_t epochs)
      : random(seed), model{steps, epochs, {}}, ledger(steps, epochs) {}

  void expect(bool right, const char* what) {
    if (!right && ++mistakes < 5) BOOST_ERROR(what);
  }
  void next() {
    const auto wanted = model.next();
    expect(ledger.at_end() == !wanted, "at_end");
    const auto step = ledger.next();
    expect(step == wanted, "next");
    if (step) model.given.insert(*step);
  }
  void release() {
    if (model.given.empty()) return;
    const auto step = *std::next(model.given.begin(), static_cast<std::ptrdiff_t>(random() % model.given.size()));
    model.given.erase(step);
    model.released.insert(step);
    const auto tally = ledger.released(step, rows_of(step), hash_of(step), 1);
    expect(tally.has_value() == model.complete(step.epoch), "an epoch is reported when it is complete");
    if (tally) expect(tally->epoch == step.epoch && model.tally_is_right(*tally), "tally of a complete epoch");
  }
  void release_again() {
    if (model.released.empty()) return;
    const auto step = *std::next(model.released.begin(), static_cast<std::ptrdiff_t>(random() % model.released.size()));
    expect(!ledger.released(step, 1000, 1000, 1000), "released twice");
  }
  void expect_unfinished(const std::vector<Tally>& tallies) {
    std::set<std::uint64_t> told;
    for (const auto& tally : tallies) {
      told.insert(tally.epoch);
      expect(model.tally_is_right(tally), "tally of an unfinished epoch");
    }
    expect(told == model.unfinished() && told.size() == tallies.size(), "unfinished epochs");
  }
  void seek() {
    const auto last = model.epochs > 0 ? model.epochs : 5;
    const Step to{random() % last, random() % model.steps};
    expect_unfinished(ledger.seek(to));
    model.seek(to);
  }
  void leave() {
    const auto to = model.after_leaving();
    expect_unfinished(ledger.leave());
    model.seek(to);
  }
  void travel() {
    ledger = Ledger::from_json(nlohmann::json::parse(ledger.to_json().dump()));
    model.given.clear();
  }
  void rewind() {
    ledger.rewind();
    model.given.clear();
  }
  void act() {
    switch (const auto what = random() % 100; what) {
      case 0:
        return seek();
      case 1:
        return leave();
      case 2:
        return travel();
      case 3:
        return rewind();
      case 4:
        return release_again();
      default:
        return what < 50 && model.given.size() < 8 ? next() : release();
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(does_what_the_model_does) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    std::mt19937_64 random(seed);
    Run run(seed + 1000, 1 + random() % 12, random() % 6);
    for (int i = 0; i < 600 && run.mistakes == 0; ++i) {
      run.act();
      run.expect(run.ledger.position() == run.model.position(), "position");
      run.expect(run.ledger.finished() == !run.model.exists(run.model.position()), "finished");
    }
    BOOST_TEST(run.mistakes == 0, "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(a_batch_held_for_long_is_cheap_to_tell) {
  Ledger ledger(1'000'000, 1);
  const auto held = *ledger.next();
  for (int i = 0; i < 200'000; ++i) ledger.released(*ledger.next(), 1, 1);
  BOOST_TEST((ledger.position() == held));
  const auto text = ledger.to_json().dump();
  BOOST_TEST(text.size() < 200u);
  auto again = Ledger::from_json(nlohmann::json::parse(text));
  BOOST_TEST((*again.next() == held));
  BOOST_TEST((*again.next() == Step{0, 200'001}));
}

BOOST_AUTO_TEST_CASE(a_batch_held_for_ever_is_cheap_to_keep) {
  Ledger ledger(10, 0);
  const auto held = *ledger.next();
  std::uint64_t complete = 0;
  for (int i = 0; i < 1'000'000; ++i) complete += ledger.released(*ledger.next(), 1, 1).has_value();
  BOOST_TEST(complete == 99'999u);
  BOOST_TEST((ledger.position() == held));
  const auto text = ledger.to_json().dump();
  BOOST_TEST(text.size() < 200u);
  auto again = Ledger::from_json(nlohmann::json::parse(text));
  BOOST_TEST((*again.next() == held));
  BOOST_TEST((*again.next() == Step{100'000, 1}));  // and not after a walk over all that is behind it
  BOOST_TEST(again.released(held, 1, 1).has_value());
  BOOST_TEST((again.position() == Step{100'000, 1}));
  BOOST_TEST(again.to_json().at("complete").empty());
}

BOOST_AUTO_TEST_CASE(behind_the_last_epoch) {
  Ledger ledger(3, 2);
  BOOST_TEST(ledger.seek({2, 0}).empty());
  BOOST_TEST(ledger.finished());
  BOOST_TEST(ledger.at_end());
  BOOST_TEST(!ledger.next());
  ledger.seek({1, 2});
  BOOST_TEST((*ledger.next() == Step{1, 2}));
  BOOST_TEST(ledger.at_end());
  BOOST_TEST(!ledger.finished());
  const auto tally = ledger.released({1, 2}, 5, 6);
  BOOST_TEST((tally && tally->first == 2 && tally->low == 3 && tally->rows == 5));
  BOOST_TEST(ledger.finished());
}

BOOST_AUTO_TEST_CASE(json_without_epochs_is_refused) {
  BOOST_CHECK_THROW(
      Ledger::from_json(
          {{"steps", 3}, {"epochs", 0}, {"open", nlohmann::json::array()}, {"complete", nlohmann::json::array()}}),
      std::exception);
}

BOOST_AUTO_TEST_CASE(a_seek_far_into_an_epoch_costs_what_one_to_its_begin_does) {
  // Counted, not timed: what the ledger keeps is all that it walks over.
  for (const std::uint64_t step : {0ull, 1'000'000ull, 999'999'999'999ull}) {
    Ledger ledger(2'000'000'000'000, 0);
    for (int i = 0; i < 5; ++i) ledger.released(*ledger.next(), 1, 1);
    ledger.seek({3, step});
    const auto json = ledger.to_json();
    BOOST_TEST(json.at("open").size() == 1u);
    BOOST_TEST(json.at("open").at(0).at(3).empty());
    BOOST_TEST((ledger.position() == Step{3, step} && *ledger.next() == Step{3, step}));
    BOOST_TEST((*Ledger::from_json(json).next() == Step{3, step}));
  }
}

BOOST_AUTO_TEST_SUITE_END()
