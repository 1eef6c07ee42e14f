#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>

#include "base/narrow.hpp"

using headrace::Error;
using headrace::narrow;

BOOST_AUTO_TEST_SUITE(narrow_casts)

BOOST_AUTO_TEST_CASE(what_fits_goes_through) {
  BOOST_TEST(narrow<int>(std::uint64_t{2'147'483'647}) == 2'147'483'647);
  BOOST_TEST(narrow<std::int8_t>(-128) == -128);
  BOOST_TEST(narrow<std::uint64_t>(0) == 0u);
  static_assert(narrow<std::uint8_t>(255) == 255);
}

BOOST_AUTO_TEST_CASE(what_does_not_is_an_error_that_names_it) {
  BOOST_CHECK_THROW(narrow<int>(std::uint64_t{2'147'483'648}), Error);
  BOOST_CHECK_THROW(narrow<std::uint32_t>(-1), Error);
  BOOST_CHECK_THROW(narrow<std::uint64_t>(std::numeric_limits<std::int64_t>::min()), Error);
  BOOST_CHECK_THROW(narrow<std::int64_t>(std::numeric_limits<std::uint64_t>::max()), Error);
  BOOST_CHECK_EXCEPTION(narrow<std::uint8_t>(256), Error,
                        [](const Error& e) { return std::string(e.what()).find("256") != std::string::npos; });
}

BOOST_AUTO_TEST_SUITE_END()
