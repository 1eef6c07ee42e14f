// What stands in virtual files, and where HDF5 looks for their sources.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>

#include "formula.hpp"
#include "h5/describe.hpp"

using namespace headrace::h5;
namespace fs = std::filesystem;
using Names = std::vector<std::string>;
using Dims = std::vector<std::uint64_t>;

BOOST_AUTO_TEST_SUITE(virtual_map)

static std::vector<VirtualPart> parts_of(const std::string& name) {
  return describe_dataset(open_file(fixture("virtual/" + name)), "x").parts;
}

BOOST_AUTO_TEST_CASE(parts_stand_as_they_were_mapped) {
  const auto parts = parts_of("through.h5");
  BOOST_REQUIRE(parts.size() == 3u);
  BOOST_TEST(parts[1].file == "plain/p1.h5");
  BOOST_TEST(parts[1].dataset == "data/x");
  BOOST_TEST(parts[1].points() == 68u);
  BOOST_TEST((parts[1].to.at(0).start == (Dims{40, 0})));
  BOOST_TEST(parts[1].from.empty());
  const auto rows = parts_of("parts.h5");
  BOOST_TEST((rows.at(0).from.at(0).block == (Dims{30, 4})));
  BOOST_TEST(parts_of("self.h5").at(0).file == ".");
  BOOST_TEST(parts_of("every_second.h5").at(1).to.at(0).stride[0] == 2u);
}

BOOST_AUTO_TEST_CASE(numbered_names_are_written_out) {
  const auto parts = parts_of("numbered.h5");
  BOOST_REQUIRE(parts.size() == 2u);
  BOOST_TEST(parts[1].file == "plain/block1.h5");
  BOOST_TEST(parts[1].to.at(0).start[0] == 40u);
  BOOST_TEST(!parts[1].unlimited);
  const auto lost = parts_of("numbered_lost.h5");  // HDF5 knows of no row
  BOOST_REQUIRE(lost.size() == 1u);
  BOOST_TEST(lost[0].file == "plain/nowhere0.h5");
  BOOST_TEST(lost[0].unlimited);
}

/// A file by its rule is one that HDF5 opens in its place: each candidate is made the only one, and read.
BOOST_AUTO_TEST_CASE(candidates_are_where_hdf5_looks) {
  const auto before = fs::current_path();
  const auto top = fs::temp_directory_path() / ("candidates." + std::to_string(getpid()));
  fs::create_directories(top / "start");
  fs::create_directories(top / "real");
  fs::create_directories(top / "prefix");
  fs::create_directories(top / "other");
  fs::copy(fixture("virtual/every_second.h5"), top / "real/v.h5");
  fs::create_directories(top / "seen");
  fs::create_symlink("../real/v.h5", top / "seen/v.h5");
  fs::current_path(top / "start");
  ::setenv("HDF5_VDS_PREFIX", (top / "other").string().append(":").append(top / "prefix").c_str(), 1);
  const auto candidates = source_candidates("../seen/v.h5", "plain/odd0.h5");
  BOOST_TEST(candidates == (Names{top / "other/plain/odd0.h5", top / "prefix/plain/odd0.h5", "../seen/plain/odd0.h5",
                                  "plain/odd0.h5", top / "real/plain/odd0.h5"}));
  for (const auto& candidate : candidates) {
    const auto folder = fs::path(candidate).parent_path();
    fs::create_directories(folder);
    for (const auto* name : {"odd0.h5", "odd1.h5"})
      fs::copy(fixture(std::string("virtual/plain/") + name), folder / name);
    {
      const auto file = open_file("../seen/v.h5");
      const Dataset dataset(H5Dopen2(file.id(), "x", H5P_DEFAULT));
      std::vector<float> values(80 * 4);
      BOOST_TEST(H5Dread(dataset.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
      BOOST_TEST(values[4 * 79 + 3] == static_cast<float>(formula(1, 79, 3)), candidate);
    }
    fs::remove_all(folder);
  }
  ::unsetenv("HDF5_VDS_PREFIX");
  BOOST_TEST((source_candidates("v.h5", ".") == Names{"v.h5"}));
  // Of an absolute path that is not there, the last name is looked for.
  BOOST_TEST(source_candidates("../seen/v.h5", "/nowhere/odd0.h5") ==
             (Names{"/nowhere/odd0.h5", "../seen/odd0.h5", "odd0.h5", top / "real/odd0.h5"}));
  fs::current_path(before);
  fs::remove_all(top);
}

BOOST_AUTO_TEST_CASE(raw_files_that_are_lost_are_named) {
  const auto lost = [](const std::string& name) {
    return describe_dataset(open_file(fixture("virtual/" + name)), "x").lost;
  };
  BOOST_TEST(lost("raw_whole.h5").empty());
  BOOST_TEST(lost("raw_short.h5").find("too short: 480 bytes, where the dataset needs 1280") != std::string::npos);
  BOOST_TEST(lost("raw_nowhere.h5").find("nowhere.raw") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(raw_files_are_told_once_by_whole_path) {
  const auto found = describe_dataset(open_file(fixture("virtual/raw_whole.h5")), "x").raw_files;
  BOOST_REQUIRE(found.size() == 1u);
  BOOST_TEST(fs::path(found[0]).is_absolute());
  BOOST_TEST(fs::is_regular_file(found[0]));
  BOOST_TEST(fs::path(found[0]).filename().string() == "whole.raw");
  BOOST_TEST(describe_dataset(open_file(fixture("virtual/raw_whole.h5")), "y").raw_files.empty());
}

BOOST_AUTO_TEST_SUITE_END()
