// RFC 4180, and what people's programs write instead.
#include "inventory/csv.hpp"
#include "inventory/inventory_fixture.hpp"

namespace headrace::inventory {

BOOST_FIXTURE_TEST_SUITE(csv, InventoryFixture)

namespace {

std::vector<std::string> cells(const Csv& csv, std::size_t row) {
  std::vector<std::string> all;
  for (std::size_t c = 0; c < csv.columns().size(); ++c) all.emplace_back(csv.at(row, c));
  return all;
}

using Texts = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_CASE(values_between_quotes) {
  const Csv csv("id,name\n1,\"a, b\"\n2,\"say \"\"no\"\"\"\n3,\"two\r\nlines\"\n4,\"\"\n", "t.csv");
  BOOST_TEST((csv.columns() == Texts{"id", "name"}));
  BOOST_TEST(csv.rows() == 4u);
  BOOST_TEST((cells(csv, 0) == Texts{"1", "a, b"}));
  BOOST_TEST((cells(csv, 1) == Texts{"2", "say \"no\""}));
  BOOST_TEST((cells(csv, 2) == Texts{"3", "two\r\nlines"}));
  BOOST_TEST((cells(csv, 3) == Texts{"4", ""}));
  BOOST_TEST(csv.line_of(3) == 6u);  // lines of the file, not of the table
}

BOOST_AUTO_TEST_CASE(line_ends_empty_lines_and_byte_order_mark) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const Csv csv("\xef\xbb\xbfid,x" + end + end + "7,8" + end + end + "9,", "t.csv");
    BOOST_TEST((csv.columns() == Texts{"id", "x"}));
    BOOST_TEST(csv.rows() == 2u);
    BOOST_TEST((cells(csv, 0) == Texts{"7", "8"}));
    BOOST_TEST((cells(csv, 1) == Texts{"9", ""}));
    BOOST_TEST(csv.line_of(1) == 5u);
  }
  BOOST_TEST(Csv("id\n\"\"\n", "t").rows() == 1u);  // an empty value, said so
}

BOOST_AUTO_TEST_CASE(what_is_no_table) {
  const auto says = [&](const std::string& text) { return mistake([&] { Csv(text, "t.csv"); }); };
  BOOST_TEST(has(says(""), "t.csv is empty"));
  BOOST_TEST(has(says("\xff\xfei\0d"), "UTF-16"));
  BOOST_TEST(has(says("id,x\n1\n"), "t.csv:2: the line has 1 value and the header names 2 columns"));
  BOOST_TEST(has(says("id\n\"a\n"), "t.csv:2: a quote is not closed"));
  BOOST_TEST(has(says("id\n\"a\"b\n"), "t.csv:2: something follows a closing quote"));
  BOOST_TEST(has(says("id\n\xe4\n"), "t.csv:2: '\\xe4' is not UTF-8"));
  BOOST_TEST(has(says("id,id\n"), "two columns are named 'id'"));
  BOOST_TEST(has(says("id,\n"), "a column has no name"));
}

BOOST_AUTO_TEST_CASE(values_written_as_they_are_read) {
  for (const std::string text : {"a", "", "a,b", "\"", "a\nb", " a "}) {
    const Csv csv("id\n" + csv_value(text) + "\n", "t.csv");
    BOOST_TEST(csv.at(0, 0) == text);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::inventory
