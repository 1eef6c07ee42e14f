#include "h5/object.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "h5/error.hpp"
#include "h5/file.hpp"
#include "h5/formula.hpp"

using namespace headrace::h5;

BOOST_AUTO_TEST_SUITE(object)

BOOST_AUTO_TEST_CASE(every_link_to_an_object_gives_its_identity) {
  const auto file = open_file(fixture("odd.h5"));
  const auto x = object_info(file.id(), "x");
  BOOST_REQUIRE(x.has_value());
  BOOST_TEST(x->type == H5O_TYPE_DATASET);
  for (const char* same : {"group/hard", "group/soft", "group/loop/hard", "group/self/self/soft"}) {
    const auto there = object_info(file.id(), same);
    BOOST_REQUIRE_MESSAGE(there.has_value(), same);
    BOOST_TEST((there->identity == x->identity), same);
  }
  for (const char* other : {"table", "text", "pair", "group"}) {
    const auto there = object_info(file.id(), other);
    BOOST_REQUIRE_MESSAGE(there.has_value(), other);
    BOOST_TEST((there->identity != x->identity), other);
    BOOST_TEST(there->identity.file == x->identity.file, other);
  }
}

BOOST_AUTO_TEST_CASE(a_file_stands_for_its_root) {
  const auto file = open_file(fixture("odd.h5"));
  BOOST_TEST(object_info(file.id()).type == H5O_TYPE_GROUP);
  BOOST_TEST((object_info(file.id()).identity == object_info(file.id(), "/")->identity));
}

BOOST_AUTO_TEST_CASE(links_that_lead_nowhere_are_no_error) {
  const auto file = open_file(fixture("odd.h5"));
  BOOST_TEST(!object_info(file.id(), "group/outside").has_value());
  BOOST_TEST(!object_info(file.id(), "no/such/path").has_value());
  BOOST_TEST(H5Eget_num(H5E_DEFAULT) == 0);  // nor do they leave one behind for who asks next
}

BOOST_AUTO_TEST_CASE(equal_addresses_in_two_files_are_two_objects) {
  const auto here = open_file(fixture("odd.h5"));
  const auto there = open_file(fixture("only_odd.h5"));
  const auto a = object_info(here.id()).identity;
  const auto b = object_info(there.id()).identity;
  BOOST_TEST((a.at == b.at));  // both roots lie at the same place
  BOOST_TEST((a != b));
  const auto master = open_file(fixture("master.h5"));
  BOOST_TEST(object_info(master.id(), "entry/block")->identity.file != object_info(master.id()).identity.file);
}

BOOST_AUTO_TEST_CASE(every_link_is_visited_and_loops_end) {
  const auto file = open_file(fixture("odd.h5"));
  std::vector<std::string> hard, other;
  std::vector<std::string>* lists[] = {&hard, &other};
  const auto note = [](hid_t, const char* path, const LinkInfo* link, void* data) -> herr_t {
    static_cast<std::vector<std::string>**>(data)[link->type == H5L_TYPE_HARD ? 0 : 1]->push_back(path);
    return 0;
  };
  BOOST_TEST(visit_links(file.id(), note, lists) == 0);
  BOOST_TEST((other == std::vector<std::string>{"group/loop", "group/outside", "group/soft"}));
  BOOST_TEST(std::count(hard.begin(), hard.end(), "group/hard") == 1);
  BOOST_TEST(std::count(hard.begin(), hard.end(), "group/self") == 1);
  const auto stop = [](hid_t, const char*, const LinkInfo*, void*) -> herr_t { return -7; };
  BOOST_TEST(visit_links(file.id(), stop, nullptr) < 0);
  H5Eclear2(H5E_DEFAULT);
}

BOOST_AUTO_TEST_SUITE_END()
