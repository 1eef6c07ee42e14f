// A token survives the way through one integer.
#include <boost/test/unit_test.hpp>
#include <set>

#include "exchange/in_flight.hpp"

using namespace headrace::exchange;

BOOST_AUTO_TEST_SUITE(in_flight)

BOOST_AUTO_TEST_CASE(tokens_come_back) {
  std::set<std::uint64_t> packed;
  for (const auto kind :
       {Kind::request, Kind::reply, Kind::request_send, Kind::answer_send, Kind::control, Kind::control_send})
    for (const std::uint32_t number : {0u, 1u, max_outstanding - 1, ~0u}) {
      const Token token{kind, number};
      BOOST_TEST((Token::of(token.packed()) == token));
      packed.insert(token.packed());
    }
  BOOST_TEST(packed.size() == 24u);
}

BOOST_AUTO_TEST_SUITE_END()
