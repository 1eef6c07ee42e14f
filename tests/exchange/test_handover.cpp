// What is handed over arrives once, wakes who sleeps, and is not slept over.
#include <boost/test/unit_test.hpp>
#include <thread>

#include "exchange/handover.hpp"

using namespace headrace::exchange;

BOOST_AUTO_TEST_SUITE(handover)

BOOST_AUTO_TEST_CASE(orders_come_once_and_in_order) {
  Handover handover;
  BOOST_TEST(!handover.any());
  handover.fetch({.peer = 3, .request = {}, .into = {}, .arrived = {}});
  handover.control(1, "a");
  handover.control(2, "b");
  handover.packed(7);
  handover.emptied(8);
  BOOST_TEST(handover.any());
  const auto orders = handover.take();
  BOOST_TEST(orders.fetches.size() == 1u);
  BOOST_TEST((orders.controls == std::vector<std::pair<int, std::string>>{{1, "a"}, {2, "b"}}));
  BOOST_TEST((orders.packed == std::vector<std::uint32_t>{7} && orders.emptied == std::vector<std::uint32_t>{8}));
  BOOST_TEST(!handover.any());
  BOOST_TEST(!handover.take().any());
}

BOOST_AUTO_TEST_CASE(nobody_sleeps_over_what_is_there) {
  Handover handover;
  constexpr double for_ever = 1e6;  // seconds: ctest's limit would come first
  handover.wake();
  handover.wait_for(for_ever);
  BOOST_TEST(!handover.take().any());
  handover.control(1, "a");
  handover.wait_for(for_ever);
  handover.take();
  std::thread other([&] { handover.emptied(0); });
  handover.wait_for(for_ever);
  other.join();
  BOOST_TEST(handover.take().any());
}

BOOST_AUTO_TEST_SUITE_END()
