// Items of a source: taken apart, and found among datasets.
#include "data/columns/find_item.hpp"

#include "config/config_fixture.hpp"

namespace headrace::data::columns {

using namespace headrace::config;

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

FoundItem find(const std::string& text, const Texts& paths) {
  RawDatasets datasets;
  for (const auto& path : paths) datasets.add({.path = path, .type = {}, .row_shape = {}});
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
    BOOST_TEST(has(parse_mistake(text), "brackets do not match"), text);
  for (const auto* text : {"a[]", "a[,]", "a[b,]"}) BOOST_TEST(has(parse_mistake(text), "has no name"), text);
  for (const auto* text : {"", " ", "/", "[a]"}) BOOST_TEST(has(parse_mistake(text), "names no dataset"), text);
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
                          [](const UsageError& e) { return has(e.what(), "jets, tracks"); });
}

BOOST_AUTO_TEST_CASE(quotes_keep_what_they_hold_together) {
  for (const auto* text : {"`hits[0]`", "\"hits[0]\"", " /`hits[0]` ", "`/hits[0]`"}) {
    const auto item = SourceItem::parse(text);
    BOOST_TEST(item.path == "hits[0]", text);
    BOOST_TEST(!item.bracketed, text);
  }
  const auto columns = SourceItem::parse("`a.b, c` [`x,y`, \"p[1]\" , z z]");
  BOOST_TEST(columns.path == "a.b, c");
  BOOST_TEST(columns.columns == (Texts{"x,y", "p[1]", "z z"}));
  BOOST_TEST(SourceItem::parse("run/`a.b`/c.d").path == "run/a.b/c.d");
  BOOST_TEST(SourceItem::parse("it's`so").path == "it's`so");  // no quote where no part of a name begins
  BOOST_TEST(has(parse_mistake("`a"), "a quoted name has no end"));
  BOOST_TEST(has(parse_mistake("a[\"b]"), "a quoted name has no end"));
  BOOST_TEST(has(parse_mistake("``.x"), "a quoted name is empty"));
  BOOST_TEST(has(parse_mistake("`a]`]"), "brackets do not match"));
}

BOOST_AUTO_TEST_CASE(quotes_say_where_the_name_of_the_dataset_ends) {
  const Texts datasets{"a", "a.b", "a.b.c", "hits", "hits[0]", "odd]name", "t.x"};
  BOOST_TEST(find("a.b.c", datasets).dataset == "a.b.c");
  BOOST_TEST(find("`a.b`.c", datasets).dataset == "a.b");
  BOOST_TEST(find("`a.b`.c", datasets).columns == Texts{"c"});
  BOOST_TEST(find("a.`b.c`", datasets).dataset == "a");
  BOOST_TEST(find("a.`b.c`", datasets).columns == Texts{"b.c"});
  BOOST_TEST(find("`t.x`", datasets).dataset == "t.x");
  BOOST_TEST(find("`odd]name`", datasets).dataset == "odd]name");
  BOOST_TEST(find("`hits`[0]", datasets).dataset == "hits");
  BOOST_TEST(find("`hits`[0]", datasets).columns == Texts{"0"});
  // As with dots, the whole name goes first.
  BOOST_TEST(find("hits[0]", datasets).dataset == "hits[0]");
  BOOST_TEST(find("/hits[0]", datasets).dataset == "hits[0]");
  BOOST_TEST(find("hits[1]", datasets).columns == Texts{"1"});
}

BOOST_AUTO_TEST_CASE(a_name_that_needs_quotes_is_shown_in_them) {
  BOOST_TEST(parse_mistake("odd]name") ==
             "'odd]name' is not a source (its brackets do not match; a name that holds such signs stands in "
             "backquotes: `odd]name`); write path, path.column or path[column, ...]");
  for (const auto* path : {"x", "run.1/x", "hits[0]", "a,b", "a]", "`tick", "ends with blank "}) {
    const auto item = as_item(path);
    BOOST_TEST(find(item, {path}).dataset == path, item);
  }
  BOOST_TEST(as_item("run.1/x") == "run.1/x");
  BOOST_TEST(as_item("hits[0]") == "`hits[0]`");
  const auto here = [](const std::string& path) { return path == "hits[0]"; };
  BOOST_TEST(plain_name("hits[0]", here) == "hits[0]");
  BOOST_TEST(plain_name("`hits[0]`.x", here) == "hits[0].x");
  BOOST_TEST(plain_name("/jets[pt]", here) == "jets.pt");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::columns
