// Items of a source: taken apart, and found among datasets.
#include "service/source_item.hpp"

#include "service/config_fixture.hpp"

namespace headrace::service {

namespace {

using Texts = std::vector<std::string>;

std::string parse_mistake(const std::string& text) {
  try {
    SourceItem::parse(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no mistake";
}

FoundItem find(const std::string& text, const Texts& datasets) {
  return find_item(SourceItem::parse(text), datasets);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(source_item)

BOOST_AUTO_TEST_CASE(items_come_apart) {
  const auto item = SourceItem::parse(" /group/jets [ pt , eta ] ");
  BOOST_TEST(item.path == "group/jets");
  BOOST_TEST(item.bracketed);
  BOOST_TEST(item.columns == (Texts{"pt", "eta"}));
  BOOST_TEST(SourceItem::parse("jets.pt").path == "jets.pt");
  BOOST_TEST(!SourceItem::parse("jets.pt").bracketed);
}

BOOST_AUTO_TEST_CASE(wrong_items) {
  for (const auto* text : {"a[", "a]", "a[b]c", "a[b][c]", "a]b[", "[[a]]"})
    BOOST_TEST(contains(parse_mistake(text), "brackets do not match"), text);
  for (const auto* text : {"a[]", "a[,]", "a[b,]"}) BOOST_TEST(contains(parse_mistake(text), "has no name"), text);
  for (const auto* text : {"", " ", "/", "[a]"}) BOOST_TEST(contains(parse_mistake(text), "names no dataset"), text);
  BOOST_TEST(parse_mistake("a[b, c, b]") ==
             "'a[b, c, b]' is not a source (column 'b' stands there twice); write path, path.column or "
             "path[column, ...]");
}

BOOST_AUTO_TEST_CASE(the_dataset_of_the_whole_name_goes_first) {
  const Texts datasets{"jets", "jets.pt", "v1.2/x"};
  BOOST_TEST(find("jets.pt", datasets).dataset == "jets.pt");
  BOOST_TEST(find("jets.pt", datasets).columns.empty());
  BOOST_TEST(find("jets.eta", datasets).dataset == "jets");
  BOOST_TEST(find("jets.eta", datasets).columns == Texts{"eta"});
  BOOST_TEST(!find("jets.eta", datasets).column_axis);
  BOOST_TEST(find("jets[eta]", datasets).column_axis);
  BOOST_TEST(find("v1.2/x", datasets).dataset == "v1.2/x");
  BOOST_TEST(find("jets.pt[eta]", datasets).dataset == "jets.pt");
  BOOST_TEST(find("jets.cov.3", datasets).dataset == "jets");
  BOOST_TEST(find("jets.cov.3", datasets).columns == Texts{"cov.3"});
  BOOST_TEST(find("v1.2/x.4.real", datasets).dataset == "v1.2/x");
  BOOST_TEST(find("v1.2/x.4.real", datasets).columns == Texts{"4.real"});
  BOOST_TEST(find("jets[cov.3, 4:8]", datasets).columns == (Texts{"cov.3", "4:8"}));
}

BOOST_AUTO_TEST_CASE(unknown_datasets_name_those_there_are) {
  for (const auto* text : {"jet", "jet[pt]", "jetz.", ".pt"})
    BOOST_CHECK_EXCEPTION(find(text, {"jets", "tracks"}), UsageError,
                          [](const UsageError& e) { return contains(e.what(), "jets, tracks"); });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::service
