// The gate of batches while samples come to memory.
#include <boost/test/unit_test.hpp>

#include "base/error.hpp"
#include "service/blueprint/world.hpp"
#include "service/delivery/arrivals.hpp"

using namespace service_test;
using namespace headrace::service::delivery;

BOOST_AUTO_TEST_SUITE(arrivals)

namespace {

/// Streams of 160 samples in 16 blocks of 10: 8 windows of 20 samples; the second one is not shuffled.
Blueprint early() {
  auto drawn = blueprint(160,
                         {stream("train", "", 5, plan::Shuffle::global, plan::Last::pad),
                          stream("val", "", 5, plan::Shuffle::none, plan::Last::drop)},
                         {1, 1}, 10);
  for (std::uint64_t sample = 0; sample <= 160; sample += 10) drawn.blocks.first_sample.push_back(sample);
  drawn.streams[0].shuffle_in(std::make_shared<const plan::Windows>(
      plan::Windows::alike(drawn.blocks.first_sample, early_windows, early_key(1))));
  drawn.streams[0].windows_at_start = true;
  drawn.arrival = std::make_shared<const Arrival>(drawn.blocks.first_sample, 1);
  return drawn;
}

}  // namespace

BOOST_AUTO_TEST_CASE(batches_pass_once_their_windows_are_there) {
  const auto drawn = early();
  Arrivals arrivals(drawn, 1);
  int ready = 0;
  const auto ask = [&](plan::Share share, std::uint32_t stream = 0, std::uint64_t epoch = 0) {
    return arrivals.ask(stream, epoch, share, &share, [&ready] { ++ready; });
  };
  const plan::Share first{.first = 0, .rows = 20}, straddles{.first = 10, .rows = 20}, wide{.first = 0, .rows = 100};
  const plan::Share padded{.first = 0, .rows = 10, .padding = 10};
  BOOST_TEST((!ask(first).open && ask(first).waits_for == 0u));
  BOOST_TEST(arrivals.opened() == 0u);
  arrivals.open(1);
  BOOST_TEST((ready > 0 && arrivals.opened() == 1u));
  BOOST_TEST((!ask(straddles).open && ask(straddles).waits_for == 0u));
  arrivals.open(0);
  BOOST_TEST((ask(first).open && ask(straddles).open));
  BOOST_TEST((!ask(wide).open && ask(wide).waits_for == 2u));  // of five windows
  BOOST_TEST((ask(padded).waits_for == 2u));                   // repeats those of the last one
  // What is not in windows waits for all.
  BOOST_TEST((!ask(first, 1).open && !ask(first, 1).waits_for));
  BOOST_TEST((!ask(first, 0, 1).open && !ask(first, 0, 1).waits_for));
  for (const std::uint64_t window : {2, 3, 4, 5, 6}) arrivals.open(window);
  BOOST_TEST((ask(wide).open && !ask(padded).open && !ask(first, 1).open && !ask(first, 0, 1).open));
  arrivals.open(7);
  BOOST_TEST((ask(padded).open && ask(first, 1).open && ask(first, 0, 1).open));
  BOOST_TEST((arrivals.windows() == 8u && arrivals.opened() == 8u));
  BOOST_CHECK_THROW(arrivals.open(8), Error);
}

BOOST_AUTO_TEST_CASE(each_who_waits_is_called_once_for_a_window) {
  const auto drawn = early();
  Arrivals arrivals(drawn, 1);
  int one = 0, other = 0;
  const plan::Share first{.first = 0, .rows = 20};
  arrivals.ask(0, 0, first, &one, [&] { ++one; });
  arrivals.ask(0, 0, first, &one, [&] { ++one; });
  arrivals.ask(0, 3, first, &other, [&] { ++other; });
  arrivals.open(4);
  BOOST_TEST((one == 1 && other == 1));
  arrivals.open(5);  // nobody has asked again
  BOOST_TEST((one == 1 && other == 1));
}

BOOST_AUTO_TEST_SUITE_END()
