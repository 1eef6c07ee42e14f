#include <boost/test/unit_test.hpp>
#include <string>

#include "base/bytes.hpp"
#include "base/error.hpp"

using namespace headrace;

BOOST_AUTO_TEST_SUITE(bytes)

BOOST_AUTO_TEST_CASE(written_with_three_digits) {
  BOOST_TEST(format_bytes(0) == "0 B");
  BOOST_TEST(format_bytes(999) == "999 B");
  BOOST_TEST(format_bytes(1000) == "1.00 KB");
  BOOST_TEST(format_bytes(69'000) == "69.0 KB");
  BOOST_TEST(format_bytes(123'456) == "123 KB");
  BOOST_TEST(format_bytes(1'500'000'000) == "1.50 GB");
  BOOST_TEST(format_bytes(2e13) == "20.0 TB");
  BOOST_TEST(format_bytes(5e18) == "5000 PB");
  BOOST_TEST(format_bytes(-2e6) == "-2.00 MB");
}

BOOST_AUTO_TEST_CASE(rounding_moves_to_the_next_unit_or_digit) {
  BOOST_TEST(format_bytes(999.7e3) == "1.00 MB");
  BOOST_TEST(format_bytes(9.996e3) == "10.0 KB");
  BOOST_TEST(format_bytes(99.96e3) == "100 KB");
}

BOOST_AUTO_TEST_CASE(rates) {
  BOOST_TEST(format_rate(3e9, 2) == "1.50 GB/s");
  BOOST_TEST(format_rate(3e9, 0) == "-");
}

BOOST_AUTO_TEST_CASE(read_with_every_unit) {
  BOOST_TEST(parse_bytes("4096", "ring") == 4096u);
  BOOST_TEST(parse_bytes("69KB", "ring") == 69'000u);
  BOOST_TEST(parse_bytes("69 kb", "ring") == 69'000u);
  BOOST_TEST(parse_bytes("1.5GiB", "ring") == 1'610'612'736u);
  BOOST_TEST(parse_bytes("1.5 GiB", "ring") == 1'610'612'736u);
  BOOST_TEST(parse_bytes("2T", "ring") == 2'000'000'000'000u);
  BOOST_TEST(parse_bytes("1e9", "ring") == 1'000'000'000u);
  BOOST_TEST(parse_bytes("0b", "ring") == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_no_size_is_refused_by_name) {
  for (const auto* text : {"", "KB", "-1", "12XB", "1.5.2", "1e30", "nan", "inf", "12 K B x"})
    BOOST_CHECK_EXCEPTION(parse_bytes(text, "memory"), UsageError, [&](const UsageError& e) {
      return std::string(e.what()).find("memory: '" + std::string(text) + "'") == 0;
    });
}

BOOST_AUTO_TEST_CASE(rounded_up) {
  BOOST_TEST(round_up(0, 256) == 0u);
  BOOST_TEST(round_up(1, 256) == 256u);
  BOOST_TEST(round_up(256, 256) == 256u);
  BOOST_TEST(round_up(257, 256) == 512u);
}

BOOST_AUTO_TEST_SUITE_END()
