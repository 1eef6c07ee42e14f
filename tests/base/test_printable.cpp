#include "base/printable.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

using namespace headrace;

BOOST_AUTO_TEST_SUITE(printing)

BOOST_AUTO_TEST_CASE(what_people_write_stays) {
  for (const char* text : {"", "grid/deep/energy", "a b", "Überdruck", "温度", "π ± 3σ", "C:\\data", "'\"`$", "\U0001f600"})
    BOOST_TEST(printable(text) == text);
}

BOOST_AUTO_TEST_CASE(what_steers_a_terminal_is_shown) {
  BOOST_TEST(printable("a\x1b[31mred\x1b]0;owned\x07") == "a\\x1b[31mred\\x1b]0;owned\\x07");
  BOOST_TEST(printable("one\ntwo\r\tthree") == "one\\ntwo\\r\\tthree");
  BOOST_TEST(printable(std::string("a\0b\x7f", 4)) == "a\\x00b\\x7f");
  BOOST_TEST(printable("\u009b31m") == "\\u009b31m");  // ESC [ in one character
  BOOST_TEST(printable("gpj.\u202eexe") == "gpj.\\u202eexe");
  BOOST_TEST(printable("a\u2028b\u200bc\ufeff") == "a\\u2028b\\u200bc\\ufeff");
  BOOST_TEST(printable("\U000e0041") == "\\ue0041");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_text_are_shown) {
  BOOST_TEST(printable("\xff\xfe") == "\\xff\\xfe");
  BOOST_TEST(printable("caf\xe9!") == "caf\\xe9!");
  BOOST_TEST(printable("\xc0\x8a") == "\\xc0\\x8a");          // an overlong line feed
  BOOST_TEST(printable("\xe2\x82") == "\\xe2\\x82");          // cut off
  BOOST_TEST(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate
  BOOST_TEST(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

BOOST_AUTO_TEST_CASE(whatever_comes_is_one_line_without_control_characters) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string text(random() % 24, ' ');
    for (auto& c : text) c = static_cast<char>(random() % 3 == 0 ? random() % 32 : random());
    const auto shown = printable(text);
    for (const unsigned char c : shown) BOOST_REQUIRE((c >= 0x20 && c != 0x7f));
    BOOST_REQUIRE_EQUAL(printable(shown), shown);  // so it is UTF-8 throughout
  }
}

BOOST_AUTO_TEST_CASE(lines_stay_lines) {
  for (const char* text : {"", "\n", "a", "a\n", "a\n\n  b\n"}) BOOST_TEST(printable_lines(text) == text);
  BOOST_TEST(printable_lines("a\tb\n\x1b[2J\n") == "a\\tb\n\\x1b[2J\n");
}

BOOST_AUTO_TEST_CASE(lines_of_a_message_cannot_pass_for_another_message) {
  BOOST_TEST(printable_message("one\ntwo") == "one\n  two");
  BOOST_TEST(printable_message("several mistakes:\n  a\n  b\n\nc") == "several mistakes:\n  a\n  b\n\n  c");
  BOOST_TEST(printable_message("no 'x\nheadrace lcd: every sample exactly once'") ==
             "no 'x\n  headrace lcd: every sample exactly once'");
  BOOST_TEST(printable_message("\x1b[2Ja\n") == "\\x1b[2Ja\n");
}

BOOST_AUTO_TEST_SUITE_END()
