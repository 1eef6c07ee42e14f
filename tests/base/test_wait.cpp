#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>

#include "base/wait.hpp"

using namespace headrace;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(wait)

BOOST_AUTO_TEST_CASE(a_variable_with_a_number_of_seconds_counts) {
  constexpr const char* name = "HEADRACE_WAIT_TEST";
  const auto with = [&](const char* text) {
    setenv(name, text, 1);
    return wait_of(name, 2s);
  };
  unsetenv(name);
  BOOST_TEST((wait_of(name, 2s) == 2s));
  BOOST_TEST((with("0.25") == 250ms));
  BOOST_TEST((with("0") == 0ms));
  for (const char* text : {"", "soon", "3s", "-1", "nan", "inf", "1e9"}) BOOST_TEST((with(text) == 2s), text);
  unsetenv(name);
}

BOOST_AUTO_TEST_SUITE_END()
