// Lists of samples: who is listed twice is refused with both lines.
#include "config/config_fixture.hpp"
#include "data/selection/id_list.hpp"

namespace headrace::data::selection {

using namespace headrace::condition;
using namespace headrace::config;

namespace {

std::string mistake(const std::string& content, bool texts) {
  try {
    IdList::parse(content, "ids.txt", texts);
  } catch (const Error& error) {
    return error.what();
  }
  return "no mistake";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(id_list_repeats)

BOOST_AUTO_TEST_CASE(a_number_twice_is_refused_by_line) {
  BOOST_TEST(mistake("5\n3\n# 5\n\n7, 3 9\n", false) ==
             "ids.txt:5: '3' is there already, in line 2 (one value is listed more than once); list each once, or set "
             "select-repeats = true to have it as often");
  BOOST_TEST(mistake("8 8\n", false) ==
             "ids.txt:1: '8' is there already, in line 1 (one value is listed more than once); list each once, or set "
             "select-repeats = true to have it as often");
  BOOST_TEST(mistake("4\n-1\n4\n4\n-1\n9\n9", false) ==
             "ids.txt:5: '-1' is there already, in line 2 (3 values are listed more than once); list each once, or set "
             "select-repeats = true to have it as often");
  BOOST_TEST(mistake("1\n01\n", false).starts_with("ids.txt:2: '1' is there already, in line 1"));
  BOOST_TEST(mistake("5\n3\n-3\n", false) == "no mistake");
}

BOOST_AUTO_TEST_CASE(a_text_twice_too) {
  BOOST_TEST(mistake("run a\nrun b\n  run a \r\n", true) ==
             "ids.txt:3: 'run a' is there already, in line 1 (one value is listed more than once); list each once, or "
             "set select-repeats = true to have it as often");
  BOOST_TEST(mistake("a\nA\n", true) == "no mistake");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::selection
