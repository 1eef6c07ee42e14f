#include "commands/writing/place.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"

namespace headrace::commands::writing {

BOOST_AUTO_TEST_SUITE(places)

BOOST_AUTO_TEST_CASE(more_than_a_disk_has_is_refused_with_both_sizes) {
  require_room("x.h5", 1, 0);
  BOOST_CHECK_EXCEPTION(require_room("x.h5", std::uint64_t{1} << 60, 0), Error, [](const Error& error) {
    const std::string what = error.what();
    return what.find("too little room for 'x.h5' (it takes 1.15 EB, and . has ") == 0 ||
           what.find("too little room for 'x.h5' (it takes ") == 0;
  });
  require_room("x.h5", std::uint64_t{1} << 60, std::uint64_t{1} << 60);  // it is there already
}

BOOST_AUTO_TEST_CASE(an_input_is_known_by_any_name) {
  const auto folder = std::filesystem::temp_directory_path() / ("headrace-place-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "in.h5") << "x";
  std::filesystem::create_symlink(folder / "in.h5", folder / "link.h5");
  catalog::Catalog catalog;
  catalog.files.push_back({.path = (folder / "in.h5").string()});
  BOOST_CHECK_THROW(require_no_input((folder / "link.h5").string(), catalog), UsageError);
  require_no_input((folder / "out.h5").string(), catalog);
  BOOST_CHECK_THROW(require_no_input({(folder / "out.h5").string(), (folder / "in.h5").string()}, catalog), UsageError);
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(an_old_file_is_not_taken_for_the_one_that_is_being_made_anew) {
  const auto folder = std::filesystem::temp_directory_path() / ("headrace-place-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const auto path = (folder / "x.h5").string();
  std::ofstream(path) << "old";
  BOOST_CHECK_EXCEPTION(require_free(path, true, false, true), UsageError, [](const Error& error) {
    return std::string(error.what()).find("is complete") != std::string::npos;
  });
  std::ofstream(path + ".part.old.json") << "{}";  // a run with --force that was killed, and again as it went on
  std::ofstream(path + ".part.old") << "rows";
  require_free(path, true, false, true);
  std::ofstream(path + ".part") << "copied";
  require_free(path, true, false, true);
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_CASE(a_part_file_without_a_journal_is_of_somebody) {
  const auto folder = std::filesystem::temp_directory_path() / ("headrace-place-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const auto path = (folder / "x.h5").string();
  require_free(path, true, false, false);
  for (const auto& part : {path + ".part", path + ".part.old"}) {
    std::filesystem::create_symlink("nowhere", part);
    BOOST_CHECK_EXCEPTION(require_free(path, true, false, false), UsageError, [&](const Error& error) {
      return std::string(error.what()).find("'" + part + "' is there, and " + part + ".json is not") == 0;
    });
    require_free(path, true, true, false);
    std::filesystem::remove(part);
  }
  std::filesystem::create_symlink("/dev/null", path);
  BOOST_CHECK_THROW(require_free(path, true, true, false), UsageError);
  std::filesystem::remove_all(folder);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::commands::writing
