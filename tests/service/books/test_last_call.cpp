// Who has not come to the end is told, then named by an error.
#include <boost/test/unit_test.hpp>

#include "base/error.hpp"
#include "service/books/last_call.hpp"

using namespace headrace;
using namespace headrace::service::books;

BOOST_AUTO_TEST_SUITE(last_call)

namespace {

const Clock::time_point start{};

Clock::time_point after(double seconds) {
  return start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

std::string error_at(LastCall& call, double seconds) {
  try {
    call.tick(after(seconds));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_is_said_before_the_end_nor_once_all_have_come) {
  LastCall call({"a", "b"}, 100);
  BOOST_TEST(!call.tick(after(1000)).has_value());
  call.begin(start);
  call.came(1);
  BOOST_TEST(!call.complete());
  call.came(0);
  BOOST_TEST(call.complete());
  BOOST_TEST(!call.tick(after(1000)).has_value());
}

BOOST_AUTO_TEST_CASE(who_is_missing_is_told_now_and_then) {
  LastCall call({"a", "b", "c", "d"}, 0);
  call.begin(start);
  call.begin(after(5));
  call.alive(1);
  call.alive(3);
  call.came(3);
  BOOST_TEST(!call.tick(after(9)).has_value());
  BOOST_TEST(call.tick(after(10)).value() ==
             "waiting for the end for 10 s: no answer from a, c; batches still under way: b");
  BOOST_TEST(!call.tick(after(69)).has_value());
  call.came(0);
  call.came(2);
  BOOST_TEST(call.tick(after(70)).value() == "waiting for the end for 70 s; batches still under way: b");
  BOOST_TEST(call.tick(after(1e6)).has_value());  // no limit
}

BOOST_AUTO_TEST_CASE(whoever_owes_an_answer_has_not_come) {
  LastCall call({"a", "b"}, 100);
  call.begin(start);
  call.expect(1);
  for (const unsigned stager : {0u, 1u}) {
    call.alive(stager);
    call.came(stager);
  }
  BOOST_TEST(!call.complete());
  BOOST_TEST(error_at(call, 100).starts_with("b did not come to the end of the service within 100 s"));
  call.came(1);
  BOOST_TEST(call.complete());
  BOOST_CHECK_THROW(call.came(1), Error);
}

BOOST_AUTO_TEST_CASE(the_error_names_the_silent_rather_than_those_that_may_wait_for_them) {
  LastCall call({"a", "b", "c"}, 8);
  call.begin(start);
  call.alive(0);
  call.alive(1);
  call.came(1);
  BOOST_TEST(call.tick(after(4)).has_value());  // half of a short limit
  BOOST_TEST(error_at(call, 7.9) == "no error");
  BOOST_TEST(error_at(call, 8).starts_with("c did not come to the end of the service within 8 s"));
  call.alive(2);
  BOOST_TEST(error_at(call, 9).starts_with("a, c did not come"));
}

BOOST_AUTO_TEST_CASE(the_limit_is_that_of_starting_but_not_above_that_of_an_answer) {
  config::Config config;
  BOOST_TEST(end_limit(config) == 300);
  config.start_timeout = 20;
  BOOST_TEST(end_limit(config) == 20);
  config.start_timeout = 0;
  BOOST_TEST(end_limit(config) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
