#include "mpi/lone_folder.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/host_name.hpp"
#include "ipc/child.hpp"

using namespace headrace;
namespace fs = std::filesystem;

namespace {

/// TMPDIR is a folder of this test.
struct Temporary {
  fs::path path = fs::temp_directory_path() / ("headrace-lone." + std::to_string(getpid()));
  std::string before = std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "";
  Temporary() {
    fs::create_directory(path);
    setenv("TMPDIR", path.c_str(), 1);
  }
  ~Temporary() {
    before.empty() ? unsetenv("TMPDIR") : setenv("TMPDIR", before.c_str(), 1);
    fs::remove_all(path);
  }
  std::vector<fs::path> entries() const { return {fs::directory_iterator(path), fs::directory_iterator()}; }
  fs::path stale() const { return path / ("headrace-mpi." + std::to_string(geteuid()) + "." + host_name() + ".abcdef"); }
};

/// What Open MPI would do, by which folder it did it.
fs::path leaves_a_session_folder() {
  const fs::path folder = std::getenv("TMPDIR");
  fs::create_directories(folder / "ompi.host.1" / "pid.4711");
  return folder;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(lone_folder, Temporary)

BOOST_AUTO_TEST_CASE(mpi_starts_in_a_folder_of_its_own_that_ends_with_it) {
  {
    mpi::LoneFolder folder;
    fs::path seen;
    folder.start([&] { seen = leaves_a_session_folder(); });
    BOOST_TEST(seen.parent_path() == path);
    BOOST_TEST(std::getenv("TMPDIR") == path.string());  // for all that comes after
    BOOST_TEST(std::getenv("OMPI_MCA_orte_tmpdir_base") == nullptr);
    BOOST_TEST(fs::exists(seen / "ompi.host.1"));
  }
  BOOST_TEST(entries().empty());
}

BOOST_AUTO_TEST_CASE(the_next_one_removes_those_of_the_dead_and_no_others) {
  Child killed([] {
    mpi::LoneFolder folder;
    folder.start([] { leaves_a_session_folder(); });
    _exit(0);  // without an end, as by a signal
    return 0;
  });
  killed.wait();
  BOOST_REQUIRE(entries().size() == 1);
  const auto dead = entries().front();
  const auto others = path / "headrace-mpi.99999999.abcdef";
  fs::create_directory(others);
  const auto elsewhere = path / ("headrace-mpi." + std::to_string(geteuid()) + ".another-host.abcdef");
  fs::create_directory(elsewhere);  // of a machine that shares this folder, but perhaps not its locks
  mpi::LoneFolder living, next;
  fs::path of_living;
  living.start([&] { of_living = leaves_a_session_folder(); });
  next.start(leaves_a_session_folder);
  BOOST_TEST(!fs::exists(dead));
  BOOST_TEST(fs::exists(others));
  BOOST_TEST(fs::exists(elsewhere));
  BOOST_TEST(fs::exists(of_living / "ompi.host.1"));
}

BOOST_AUTO_TEST_CASE(links_and_files_of_such_a_name_stay) {
  const auto target = path / "precious";
  fs::create_directory(target);
  fs::create_directory_symlink(target, stale());
  std::ofstream(stale().string() + "file") << "somebody's";
  mpi::LoneFolder().start([] {});
  BOOST_TEST(fs::exists(target));
  BOOST_TEST(fs::is_symlink(stale()));
  BOOST_TEST(fs::exists(stale().string() + "file"));
}

BOOST_AUTO_TEST_CASE(where_none_can_be_made_mpi_starts_all_the_same) {
  setenv("TMPDIR", (path / "missing").c_str(), 1);
  bool started = false;
  mpi::LoneFolder().start([&] { started = true; });
  BOOST_TEST(started);
  BOOST_TEST(std::getenv("TMPDIR") == (path / "missing").string());
}

BOOST_AUTO_TEST_SUITE_END()
