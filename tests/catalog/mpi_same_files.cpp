// Files that differ between nodes, which here are split from one: every rank learns what differs, and how.
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/same_files.hpp"

using namespace headrace;
using namespace headrace::catalog;
using namespace headrace::catalog;
namespace fs = std::filesystem;

namespace {

/// A folder of each node's own, with the same three files, reached by the same relative paths.
struct Nodes {
  mpi::Comm world = mpi::Comm::world();
  mpi::Comm node = world.split((world.rank() + 1) / 2, world.rank());  // rank 0 alone, then pairs
  fs::path before = fs::current_path(), folder;
  bool last = false, leads = node.rank() == 0;

  Nodes() {
    const auto number = world.max(std::uint64_t{world.rank() == 0 ? static_cast<std::uint64_t>(getpid()) : 0});
    const int me = (world.rank() + 1) / 2;
    last = world.size() > 1 && me == world.size() / 2;
    folder = fs::temp_directory_path() / ("headrace-same-" + std::to_string(number)) / std::to_string(me);
    if (leads) {
      fs::create_directories(folder);
      for (const auto& name : names()) write(name, std::string(100'000, 'a'));
    }
    world.barrier();
    fs::current_path(folder);
  }

  ~Nodes() {
    world.barrier();
    fs::current_path(before);
    if (world.rank() == 0) fs::remove_all(folder.parent_path());
    world.barrier();
  }

  static std::vector<std::string> names() { return {"a.h5", "b.h5", "c.h5"}; }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
    fs::last_write_time(folder / name, fs::file_time_type(std::chrono::seconds(1'000'000'000)));
  }

  /// What the check says everywhere, "" for nothing.
  std::string verdict(const std::vector<std::string>& files) const {
    std::string text;
    world.barrier();
    try {
      require_same_files(world, node, files);
    } catch (const Error& error) {
      text = error.what();
    }
    for (const auto& other : world.allgather(text)) BOOST_TEST(other == text);
    return text;
  }
};

void holds(const std::string& text, const std::string& part) {
  BOOST_TEST(text.find(part) != std::string::npos, "'" << part << "' in: " << text);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(same_files)

BOOST_FIXTURE_TEST_CASE(copies_of_the_same_files_will_do, Nodes) {
  BOOST_TEST(verdict(names()) == "");
}

BOOST_FIXTURE_TEST_CASE(another_size, Nodes) {
  if (last && leads) write("b.h5", std::string(100'001, 'a'));
  if (world.size() == 1) return;
  const auto text = verdict(names());
  holds(text, "b.h5 is not the file that ");
  holds(text, "100001 bytes, there 100000");
}

BOOST_FIXTURE_TEST_CASE(another_header, Nodes) {
  if (last && leads) write("c.h5", std::string(65'535, 'a') + std::string(100'000 - 65'535, 'b'));
  if (world.size() > 1) holds(verdict(names()), "c.h5 is not the file that ");
}

BOOST_FIXTURE_TEST_CASE(another_time, Nodes) {
  if (last && leads) fs::last_write_time("a.h5", fs::file_time_type(std::chrono::seconds(1'000'000'007)));
  if (world.size() > 1) holds(verdict(names()), "changed 7 s later");
}

BOOST_FIXTURE_TEST_CASE(a_file_that_is_not_there, Nodes) {
  if (last && leads) fs::remove("c.h5");
  if (world.size() > 1) holds(verdict(names()), "cannot open c.h5 (no such file)");
}

BOOST_FIXTURE_TEST_CASE(a_pattern_that_matches_other_files, Nodes) {
  auto files = names();
  if (last) files.erase(files.begin() + 1);
  if (world.size() > 1) holds(verdict(files), "(from c.h5 on: 2 here, 3 there)");
}

BOOST_AUTO_TEST_SUITE_END()
