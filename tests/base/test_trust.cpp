#include "base/trust.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "texts.hpp"

using namespace headrace;
namespace fs = std::filesystem;

namespace {

constexpr uid_t nobody = 65534;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("headrace-trust." + std::to_string(getpid()));
  Folder() {
    fs::create_directory(path);
    chmod(path.c_str(), 0755);
  }
  ~Folder() { fs::remove_all(path); }
  std::string file(const std::string& name, mode_t mode) const {
    const auto whole = (path / name).string();
    std::ofstream(whole) << "library";
    chmod(whole.c_str(), mode);
    return whole;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(trust)

BOOST_AUTO_TEST_CASE(own_libraries_are_loaded) {
  const Folder folder;
  for (const mode_t mode : {0755, 0644, 0400, 0700}) BOOST_TEST(distrust_library(folder.file("own.so", mode)) == "");
  BOOST_TEST(distrust_library("/bin/sh") == "");               // root's
  BOOST_TEST(distrust_library(folder.path / "absent") == "");  // whoever opens it says so
  BOOST_TEST(distrust_folder_of_libraries(folder.path) == "");
}

BOOST_AUTO_TEST_CASE(what_others_may_write_is_not) {
  const Folder folder;
  const auto library = folder.file("open.so", 0646);
  BOOST_TEST(has(distrust_library(library), "open.so' (mode 0646)"));
  BOOST_TEST(has(distrust_folder_of_libraries(folder.path), "open.so"));
  fs::create_symlink(library, folder.path / "link");
  BOOST_TEST(has(distrust_library(folder.path / "link"), "open.so' (mode 0646)"));  // the file counts
  chmod(library.c_str(), 0644);
  BOOST_TEST(distrust_folder_of_libraries(folder.path) == "");
  folder.file("README", 0666);  // is never loaded
  BOOST_TEST(distrust_folder_of_libraries(folder.path) == "");
}

BOOST_AUTO_TEST_CASE(a_group_counts_unless_it_is_the_users_own) {
  const Folder folder;
  const auto library = folder.file("group.so", 0775);
  if (geteuid() != 0) return;  // only root can give files away
  BOOST_TEST(distrust_library(library) == "");  // group root
  BOOST_REQUIRE(chown(library.c_str(), 0, nobody) == 0);
  BOOST_TEST(has(distrust_library(library), "(mode 0775)"));
}

BOOST_AUTO_TEST_CASE(another_users_is_not) {
  if (geteuid() != 0) return;  // only root can give files away
  const Folder folder;
  const auto library = folder.file("theirs.so.1", 0755);
  BOOST_REQUIRE(chown(library.c_str(), nobody, nobody) == 0);
  BOOST_TEST(has(distrust_library(library), "another user (uid 65534)"));
  BOOST_TEST(has(distrust_folder_of_libraries(folder.path), "theirs.so.1"));
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_open_to_all_is_none_to_load_from) {
  const Folder folder;
  const auto library = folder.file("own.so", 0755);
  chmod(folder.path.c_str(), 0777);
  BOOST_TEST(has(distrust_library(library), "mode 0777"));
  BOOST_TEST(has(distrust_folder_of_libraries(folder.path), "mode 0777"));
  chmod(folder.path.c_str(), 01777);
  BOOST_TEST(distrust_library(library) == "");  // nobody can replace it there
  BOOST_TEST(has(distrust_folder_of_libraries(folder.path), "mode 1777"));  // but add to it
}

BOOST_AUTO_TEST_SUITE_END()
