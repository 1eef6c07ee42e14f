// Links: other names of groups, groups of other files, loops, and links that lead nowhere.
#include "h5/library.hpp"
#include "h5/links.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "h5/describe.hpp"
#include "h5/error.hpp"
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

/// One byte says how many links lead to a group. Where it says too few, HDF5 goes round in circles.
BOOST_AUTO_TEST_CASE(a_group_within_itself_that_says_otherwise) {
  const auto path = (std::filesystem::temp_directory_path() / ("headrace-circle-" + std::to_string(getpid()))).string();
  library();
  {
    const headrace::h5::File file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    const Group group(H5Gcreate2(file.id(), "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Lcreate_hard(group.id(), ".", group.id(), "again", H5P_DEFAULT, H5P_DEFAULT);
  }
  BOOST_TEST(describe_file(open_file(path)).groups.size() == 1u);

  std::string bytes;
  {
    std::ifstream in(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  // A header of version 1: that, 0, messages (2 bytes), links (4 bytes).
  int found = 0;
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8)
    if (bytes[at] == 1 && bytes[at + 1] == 0 && bytes[at + 3] == 0 &&
        bytes.substr(at + 4, 4) == std::string("\2\0\0\0", 4))
      bytes[at + 4] = 1, ++found;
  BOOST_TEST(found == 1);
  std::ofstream(path, std::ios::binary) << bytes;
#if H5_VERSION_GE(1, 14, 0)  // it goes in no circle
  BOOST_TEST(describe_file(open_file(path)).groups.size() == 1u);
#else
  BOOST_CHECK_EXCEPTION(describe_file(open_file(path)), headrace::Error, [](const headrace::Error& error) {
    return std::string(error.what()).starts_with("group 'g/again' is another one as well");
  });
#endif
  std::filesystem::remove(path);
}

BOOST_AUTO_TEST_SUITE_END()
