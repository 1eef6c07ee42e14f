// Which epochs the log tells: all that a person could read, and of the others how many, so that none is missing.
#include <boost/test/unit_test.hpp>

#include "service/books/epoch_news.hpp"

using namespace headrace;
using namespace headrace::config;
using namespace headrace::data::columns;
using namespace headrace::data::fields;
using namespace headrace::job;
using namespace headrace::service::blueprint;
using namespace headrace::service::books;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(epoch_news)

namespace {

struct Desk {
  EpochNews news{{"train", "val"}};
  Clock::time_point now = Clock::time_point{} + 1h;
  std::vector<News> told{};

  void add(std::uint64_t epoch, bool right = true, std::uint32_t stream = 0) {
    take(news.add({.stream = stream,
                   .epoch = epoch,
                   .samples = 10,
                   .bytes = 1000,
                   .seconds = 0.5,
                   .complete = true,
                   .exactly_once = right,
                   .text = "epoch " + std::to_string(epoch)},
                  now));
  }
  void pass(std::chrono::milliseconds time) {
    now += time;
    take(news.tick(now));
  }
  void take(std::vector<News> some) {
    for (auto& item : some) told.push_back(std::move(item));
  }
  std::uint64_t epochs() const {
    std::uint64_t sum = 0;
    for (const auto& item : told) sum += item.epochs;
    return sum;
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(epochs_that_take_their_time_are_told_one_by_one) {
  Desk desk;
  for (std::uint64_t epoch = 0; epoch < 1000; ++epoch) {
    desk.pass(EpochNews::every);
    desk.add(epoch);
  }
  BOOST_TEST(desk.told.size() == 1000u);
  BOOST_TEST(desk.told.back().text == "epoch 999");
}

BOOST_AUTO_TEST_CASE(short_epochs_are_counted_and_none_is_missing) {
  Desk desk;
  constexpr std::uint64_t epochs = 70'000;  // seven minutes of epochs of 6 ms
  for (std::uint64_t epoch = 0; epoch < epochs; ++epoch) {
    desk.add(epoch);
    desk.pass(6ms);
  }
  desk.take(desk.news.flush());
  BOOST_TEST(desk.told.size() < 200u);
  BOOST_TEST(desk.epochs() == epochs);
  std::uint64_t next = 0, samples = 0, bytes = 0;
  for (const auto& item : desk.told) {
    BOOST_TEST(item.first == next);
    BOOST_TEST(item.last == item.first + item.epochs - 1);
    next = item.last + 1;
    samples += item.verdict.samples;
    bytes += item.verdict.bytes;
  }
  BOOST_TEST(samples == 10 * epochs);
  BOOST_TEST(bytes == 1000 * epochs);
  BOOST_TEST(desk.told[EpochNews::burst].text.find("train epochs 60 to ") == 0u);
  BOOST_TEST(desk.told[EpochNews::burst].text.ends_with("every sample exactly once"));
  BOOST_TEST(desk.news.flush().empty());
}

BOOST_AUTO_TEST_CASE(a_failure_is_told_at_once_with_all_before_it) {
  Desk desk;
  for (std::uint64_t epoch = 0; epoch < 500; ++epoch) desk.add(epoch);
  BOOST_TEST(desk.told.size() == EpochNews::burst);
  desk.add(500, false);
  BOOST_TEST(desk.told.size() == EpochNews::burst + 2);
  BOOST_TEST(desk.told.back().text == "epoch 500");
  BOOST_TEST(desk.told.back().failed == 1u);
  BOOST_TEST(desk.epochs() == 501u);
}

BOOST_AUTO_TEST_CASE(failures_without_end_are_counted_as_such) {
  Desk desk;
  for (std::uint64_t epoch = 0; epoch < 500; ++epoch) desk.add(epoch, epoch % 2 == 0);
  desk.take(desk.news.flush());
  std::uint64_t failed = 0;
  for (const auto& item : desk.told) {
    failed += item.failed;
    if (item.epochs > 1 && item.failed > 0) {
      BOOST_TEST(!item.verdict.exactly_once);
      BOOST_TEST(item.text.ends_with("AUDIT FAILED in " + std::to_string(item.failed) + " of them"));
    }
  }
  BOOST_TEST(failed == 250u);
  BOOST_TEST(desk.epochs() == 500u);
}

BOOST_AUTO_TEST_CASE(streams_do_not_silence_each_other) {
  Desk desk;
  for (std::uint64_t epoch = 0; epoch < 500; ++epoch) desk.add(epoch);
  desk.add(0, true, 1);
  BOOST_TEST(desk.told.back().verdict.stream == 1u);
  desk.pass(EpochNews::every);
  BOOST_TEST(desk.epochs() == 501u);  // what waited is told by itself
  BOOST_TEST(desk.told.back().epochs == 440u);
}

BOOST_AUTO_TEST_SUITE_END()
