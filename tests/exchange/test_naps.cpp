#include <boost/test/unit_test.hpp>

#include "exchange/naps.hpp"

using headrace::exchange::Naps;

namespace {

/// Arrivals `gap` apart, many of them; the time of the last.
double arrivals(Naps& naps, double gap) {
  double now = 100;
  naps.begin(now);
  for (int i = 0; i < 200; ++i) naps.next(now += gap, true, true);
  return now;
}

/// Seconds of looking without a nap, a look every 10 us, after the last arrival.
double yields(Naps& naps, double last) {
  double now = last;
  while (!naps.next(now += 10e-6, false, true)) {
  }
  return now - last;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(naps)

BOOST_AUTO_TEST_CASE(the_core_is_offered_while_the_next_arrival_is_near) {
  Naps fast, slow;
  const double fast_yields = yields(fast, arrivals(fast, 150e-6));
  const double slow_yields = yields(slow, arrivals(slow, 20e-3));
  BOOST_TEST(fast_yields > 550e-6);
  BOOST_TEST(fast_yields < 1.1e-3);
  BOOST_TEST(slow_yields < 0.6e-3);  // the looks that a busy core may need, no more
}

BOOST_AUTO_TEST_CASE(naps_double_while_something_is_outstanding) {
  Naps naps;
  double now = arrivals(naps, 10e-6);
  now += yields(naps, now);
  double before = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto nap = naps.next(now += 1e-3, false, true);
    BOOST_REQUIRE(nap.has_value());
    BOOST_TEST(*nap >= before);
    BOOST_TEST(*nap <= 100e-6);
    before = *nap;
  }
}

BOOST_AUTO_TEST_CASE(an_idle_service_sleeps_long) {
  Naps naps;
  naps.begin(100);
  BOOST_TEST(naps.next(100.05, false, false).value() <= 100e-6);
  BOOST_TEST(naps.next(100.2, false, false).value() >= 5e-3);
  BOOST_TEST(naps.next(101.0, false, false).value() >= 20e-3);
  naps.next(101.1, true, false);  // something came: awake again
  BOOST_TEST(naps.next(101.15, false, false).value() <= 100e-6);
}

BOOST_AUTO_TEST_SUITE_END()
