#include "commands/pack/failures.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

namespace headrace::commands::pack {

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("headrace-failures-" + std::to_string(getpid()));
  std::string part = (path / "out.h5.part").string();
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(failures)

BOOST_FIXTURE_TEST_CASE(all_stagers_together, Folder) {
  Failures one(part, 0), other(part, 1);
  one.note(7, "it is gone");
  other.note(3, "line\nend");
  BOOST_TEST(read_failures(part).empty());
  one.commit();
  other.commit();
  one.note(9, "");
  one.commit();
  const auto all = read_failures(part);
  BOOST_TEST(all.size() == 3u);
  BOOST_TEST(all.at(7) == "it is gone");
  BOOST_TEST(all.at(3) == "line\\nend");
  BOOST_TEST(all.at(9).empty());
}

BOOST_FIXTURE_TEST_CASE(lines_that_were_cut_off_are_none, Folder) {
  {
    Failures one(part, 0);
    one.note(7, "it is gone");
    one.commit();
  }
  std::ofstream(part + ".failed.0", std::ios::app) << "12";  // of row 123
  Failures again(part, 0);
  again.note(45, "so is this");
  again.commit();
  const auto all = read_failures(part);
  BOOST_TEST(all.size() == 2u);
  BOOST_TEST(all.count(45) == 1u);
}

BOOST_FIXTURE_TEST_CASE(those_that_are_tried_again_are_forgotten, Folder) {
  for (std::uint32_t stager = 0; stager < 3; ++stager) {
    Failures one(part, stager);
    one.note(stager, "gone");
    one.note(10 + stager, "gone");
    one.commit();
  }
  keep_failures(part, [](std::uint64_t row) { return row >= 10; });
  const auto kept = read_failures(part);
  BOOST_TEST(kept.size() == 3u);
  BOOST_TEST(kept.begin()->first == 10u);
  Failures one(part, 0);
  one.note(2, "gone again");
  one.commit();
  BOOST_TEST(read_failures(part).size() == 4u);
  remove_failures(part);
  BOOST_TEST(fs::is_empty(path));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::commands::pack
