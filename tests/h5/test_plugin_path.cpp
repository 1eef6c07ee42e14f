#include "h5/library.hpp"
#include "h5/plugin_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "h5/error.hpp"

using namespace headrace;
namespace fs = std::filesystem;

namespace {

std::set<std::string> searched() {
  unsigned folders = 0;
  H5PLsize(&folders);
  std::set<std::string> paths;
  for (unsigned i = 0; i < folders; ++i) {
    std::string path(4096, '\0');
    path.resize(static_cast<std::size_t>(H5PLget(i, path.data(), path.size())));
    paths.insert(path);
  }
  return paths;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(plugin_path)

BOOST_AUTO_TEST_CASE(folders_that_others_may_write_are_not_searched) {
  h5::library();
  const auto top = fs::temp_directory_path() / ("headrace-plugins." + std::to_string(getpid()));
  const auto good = top / "good", open = top / "open", holds = top / "holds", absent = top / "absent";
  for (const auto& folder : {good, open, holds}) fs::create_directories(folder);
  chmod(open.c_str(), 0777);
  for (const auto& library : {good / "libh5good.so", holds / "libh5bad.so"}) std::ofstream(library) << "a library";
  chmod((holds / "libh5bad.so").c_str(), 0666);
  for (const auto& folder : {good, open, holds, absent}) H5PLappend(folder.c_str());
  BOOST_TEST(searched().count(open) == 1u);
  const auto before = h5::distrusted_plugin_folders().size();
  h5::guard_plugin_path();
  const auto left = searched();
  BOOST_TEST(left.count(good) == 1u);
  for (const auto& folder : {open, holds, absent}) BOOST_TEST(left.count(folder) == 0u, folder.string());
  std::string told;
  for (auto i = before; i < h5::distrusted_plugin_folders().size(); ++i) told += h5::distrusted_plugin_folders()[i];
  BOOST_TEST(told.find("mode 0777") != std::string::npos, told);
  BOOST_TEST(told.find("libh5bad.so") != std::string::npos, told);
  BOOST_TEST(told.find(good.string() + "'") == std::string::npos, told);
  BOOST_TEST(told.find("absent") == std::string::npos, told);
  fs::remove_all(top);
}

BOOST_AUTO_TEST_SUITE_END()
