#include "data/selection/id_list.hpp"

#include <boost/test/unit_test.hpp>

namespace headrace::data::selection {

using namespace headrace::condition;

BOOST_AUTO_TEST_SUITE(id_lists)

BOOST_AUTO_TEST_CASE(texts_are_told_apart_by_all_their_characters) {
  const auto list = IdList::parse("run 1\n  cd  \r\n\"ab  \"\n\n# a remark\n\"\"\n\"\n", "ids.txt", true);
  using namespace std::string_literals;
  const condition::ColumnValues values =
      std::vector<std::string>{"ab", "ab  ", "cd", "cd  ", "run 1", "", "ab\0cd"s, "\""};
  std::vector<std::uint8_t> keep(8, 1), found(list.size());
  list.filter(values, keep, found);
  BOOST_TEST(keep == (std::vector<std::uint8_t>{0, 1, 1, 0, 1, 1, 0, 1}), boost::test_tools::per_element());
  BOOST_TEST(list.size() == 5u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::selection
