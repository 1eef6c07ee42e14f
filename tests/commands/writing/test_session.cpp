#include "commands/writing/session.hpp"

#include <boost/test/unit_test.hpp>

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::commands::writing
