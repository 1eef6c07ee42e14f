// How much is shuffled at once.
#include "config/config_fixture.hpp"
#include "config/window_values.hpp"

namespace headrace::config {

BOOST_FIXTURE_TEST_SUITE(config_window, ConfigFixture)

using Kind = WindowConfig::Kind;

BOOST_AUTO_TEST_CASE(a_window_is_bytes_blocks_or_a_word) {
  const auto window = [&](const std::string& value) { return toml("window = " + value + "\n").window; };
  BOOST_TEST((window("\"3TiB\"") == WindowConfig{Kind::bytes, std::uint64_t{3} << 40}));
  BOOST_TEST((window("\"100B\"") == WindowConfig{Kind::bytes, 100}));
  BOOST_TEST((window("200") == WindowConfig{Kind::blocks, 200}));
  BOOST_TEST((window("\"200\"") == WindowConfig{Kind::blocks, 200}));
  BOOST_TEST((window("\"auto\"") == WindowConfig{Kind::automatic, 0}));
  BOOST_TEST((window("\"none\"") == WindowConfig{}));
  BOOST_TEST((toml("window = 5\n", {"--window=auto"}).window == WindowConfig{Kind::automatic, 0}));
  BOOST_TEST(
      (toml("", {}, {{"HEADRACE_WINDOW", "64GiB"}}).window == WindowConfig{Kind::bytes, std::uint64_t{64} << 30}));
  BOOST_TEST(toml("block = \"256KiB\"\n").block == 256u << 10);
  BOOST_TEST(toml("").block == 16u << 20);
}

BOOST_AUTO_TEST_CASE(what_is_no_window) {
  for (const std::string value : {"0", "\"\"", "\"0GiB\"", "\"some\"", "-3", "3000000000", "1.5", "\"1.5\""})
    BOOST_TEST(has(toml_mistake("window = " + value + "\n"), "window"), value);
  BOOST_TEST(has(toml_mistake("window = \"some\"\n"), "a number of blocks (200), or the bytes of all nodes"));
  BOOST_TEST(has(toml_mistake("window = 1.5\n"), "a whole number of bytes, or one with a unit"));
  BOOST_TEST(has(toml_mistake("block = 0\n"), "block"));
  BOOST_TEST(has(toml_mistake("window = 5\nscratch = \"/tmp\"\n"), "window contradicts scratch"));
}

BOOST_AUTO_TEST_CASE(a_start_is_early_or_when_all_is_loaded) {
  BOOST_TEST((toml("").start == Start::loaded));
  BOOST_TEST((toml("start = \"early\"\n").start == Start::early));
  BOOST_TEST((toml("start = \"early\"\n", {"--start=loaded"}).start == Start::loaded));
  BOOST_TEST((toml("", {}, {{"HEADRACE_START", "early"}}).start == Start::early));
  BOOST_TEST((toml("start = \"early\"\nscratch = \"/tmp\"\n").start == Start::early));
  BOOST_TEST(has(toml_mistake("start = \"soon\"\n"), "early"));
  BOOST_TEST(has(toml_mistake("window = 5\nstart = \"early\"\n"), "start = early contradicts window"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::config
