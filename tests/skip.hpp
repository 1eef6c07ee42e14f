// A case that this machine cannot run says so, as those of pytest do (tests/conftest.py).
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <string>

inline void told_as_skipped(const std::string& why) {
  BOOST_TEST_MESSAGE("skipped: " << why);
  if (const char* file = std::getenv("HEADRACE_SKIPS"))
    std::ofstream(file, std::ios::app) << boost::unit_test::framework::current_test_case().full_name() << ": " << why
                                       << '\n';
}
