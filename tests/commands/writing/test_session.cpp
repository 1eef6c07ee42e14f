#include "commands/writing/session.hpp"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "base/error.hpp"
#include "ipc/socket.hpp"

namespace headrace::commands::writing {

BOOST_AUTO_TEST_SUITE(sessions)

BOOST_AUTO_TEST_CASE(a_window_of_bytes_that_streams_share_is_told) {
  config::Config config;
  config.streams = {{.name = "train"}, {.name = "val"}};
  BOOST_TEST(other_order(config, "train") == "");
  config.window = {config::WindowConfig::Kind::blocks, 100};
  BOOST_TEST(other_order(config, "train") == "");
  config.window = {config::WindowConfig::Kind::bytes, 1'000'000};
  const auto told = other_order(config, "train");
  BOOST_TEST(told.find("window = 1.00 MB: a service shares it") == 0u);
  BOOST_TEST(told.find("here 'train' has all of it") != std::string::npos);
  config.streams[1].shuffle = plan::Shuffle::none;  // it takes nothing of the window
  BOOST_TEST(other_order(config, "train") == "");
  BOOST_TEST(other_order(config, "val") == "");
}

BOOST_AUTO_TEST_CASE(all_ways_to_a_file_have_one_name_and_one_writer) {
  namespace fs = std::filesystem;
  const auto folder = fs::temp_directory_path() / ("headrace-session-" + std::to_string(getpid()));
  fs::create_directories(folder / "real");
  fs::create_directory_symlink(folder / "real", folder / "link");
  const auto name_by = [&](const fs::path& path) { return named_for({}, (folder / path).string()).name; };
  const auto name = name_by("real/x.h5");
  BOOST_TEST(name == name_by("link/x.h5"));
  BOOST_TEST(name == name_by("real/../link/./x.h5"));
  BOOST_TEST(name != name_by("real/y.h5"));
  fs::create_symlink("y.h5", folder / "real/x.h5");  // which would be replaced, and y.h5 not
  BOOST_TEST(name == name_by("real/x.h5"));
  const auto path = (folder / "link/x.h5").string();
  require_no_other_writer(path);
  const ipc::Listener other{ipc::Address(name)};
  BOOST_CHECK_EXCEPTION(require_no_other_writer(path), UsageError, [](const Error& error) {
    return std::string(error.what()).find("x.h5' is being written by another run (pid ") != std::string::npos;
  });
  fs::remove_all(folder);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::commands::writing
