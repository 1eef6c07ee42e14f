// Links: other names of groups, groups of other files, loops, and links that lead nowhere.
#include "h5/links.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>

#include "h5/dataset.hpp"
#include "h5/formula.hpp"

using namespace headrace::h5;

BOOST_AUTO_TEST_SUITE(links)

static FileDescription description() {
  return describe_file(open_file(fixture("links.h5")));
}

static std::string dead(const FileDescription& file, const std::string& path) {
  for (const auto& link : file.dead_links)
    if (link.path == path) return text_of(link);
  return "alive";
}

BOOST_AUTO_TEST_CASE(datasets_are_listed_once_under_their_shallowest_name) {
  std::map<std::string, DatasetInfo> found;
  for (auto& dataset : description().datasets) found[dataset.path] = dataset;
  BOOST_TEST(found.size() == 3u);
  BOOST_TEST((found.at("run5/x").aliases == std::vector<std::string>{"x"}));
  BOOST_TEST((found.at("run5/x").layout == Layout::contiguous));
  // A group of another file is gone into, and that file's link back to us is not.
  BOOST_TEST((found.at("other/x").layout == Layout::other));
  BOOST_TEST(found.at("other/deep/y").rows() == 10u);
}

BOOST_AUTO_TEST_CASE(groups_go_by_all_of_their_names) {
  const auto groups = description().groups;
  const auto listed = [&](const char* path) { return through_groups(groups, path); };
  BOOST_TEST(listed("a_latest/x") == "run5/x");
  BOOST_TEST(listed("run5/self/self/self/x") == "run5/x");
  BOOST_TEST(listed("root/a_latest/x") == "run5/x");
  BOOST_TEST(listed("root/root/root/run5/x") == "run5/x");
  BOOST_TEST(listed("other_too/deep/y") == "other/deep/y");
  BOOST_TEST(listed("other/again/x") == "other/x");
  BOOST_TEST(listed("other/back/run5/x") == "run5/x");
  BOOST_TEST(listed("run5/x") == "run5/x");
  BOOST_TEST(listed("a_latest") == "a_latest");
  BOOST_TEST(listed("") == "");
}

BOOST_AUTO_TEST_CASE(links_that_lead_nowhere_are_named_with_their_target) {
  const auto file = description();
  BOOST_TEST(file.dead_links.size() == 4u);
  BOOST_TEST(dead(file, "gone/soft").starts_with("a soft link to '/nowhere/x' that leads nowhere ("));
  BOOST_TEST(dead(file, "gone/circle").starts_with("a soft link to '/gone/circle' that leads nowhere ("));
  const auto folder = fixture("links.h5").substr(0, fixture("links.h5").rfind('/'));
  BOOST_TEST(dead(file, "gone/file") ==
             "an external link to '/d' in missing.h5 that leads nowhere (no such file in " + folder + ")");
  BOOST_TEST(dead(file, "gone/inside").starts_with("an external link to '/d' in linked/data.h5 that leads nowhere ("));
  BOOST_TEST(dead(file, "gone/inside").find("no such file") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
