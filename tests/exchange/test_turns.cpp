#include <boost/test/unit_test.hpp>
#include <string>

#include "exchange/turns.hpp"

using headrace::exchange::Turns;

BOOST_AUTO_TEST_SUITE(turns)

BOOST_AUTO_TEST_CASE(peers_are_served_in_turn_each_in_its_own_order) {
  Turns<char> turns(10);
  for (const char item : std::string("abcd")) turns.add(2, item);
  turns.add(5, 'e');
  for (const char item : std::string("fg")) turns.add(7, item);
  std::string taken;
  while (const auto item = turns.take()) taken += *item;
  BOOST_TEST(taken == "aefbgcd");
  BOOST_TEST(turns.empty());
}

BOOST_AUTO_TEST_CASE(a_peer_with_enough_under_way_is_passed_over_until_one_is_finished) {
  Turns<char> turns(2);
  for (const char item : std::string("abcd")) turns.add(2, item);
  std::string taken;
  while (const auto item = turns.take()) taken += *item;
  BOOST_TEST(taken == "ab");
  BOOST_TEST(!turns.empty());
  turns.add(3, 'x');  // somebody else is not held up
  BOOST_TEST(turns.take().value() == 'x');
  BOOST_TEST(!turns.take());
  turns.finish(2);
  BOOST_TEST(turns.take().value() == 'c');
  BOOST_TEST(!turns.take());
  turns.finish(3);  // another peer's end makes no room for this one
  BOOST_TEST(!turns.take());
  turns.finish(2);
  BOOST_TEST(turns.take().value() == 'd');
  BOOST_TEST(turns.empty());
}

BOOST_AUTO_TEST_CASE(a_limit_of_none_still_serves_one) {
  Turns<int> turns(0);
  turns.add(1, 7);
  BOOST_TEST(turns.take().value() == 7);
}

BOOST_AUTO_TEST_SUITE_END()
