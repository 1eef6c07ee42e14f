// Classes and mixes.
#include "config/config_fixture.hpp"

namespace headrace::config {

using plan::Mix;

BOOST_FIXTURE_TEST_SUITE(config_classes, ConfigFixture)

BOOST_AUTO_TEST_CASE(sections_in_their_order_and_flags) {
  const auto config = toml("[class.b]\nwhere = 'f == 5'\n[class.a]\nfiles = ['*.h5']\n", {"--class.c.where", "f == 1"});
  BOOST_REQUIRE(config.classes.size() == 3u);
  BOOST_TEST(config.classes[0].name == "b");
  BOOST_TEST(config.classes[0].where == "f == 5");
  BOOST_TEST(config.classes[1].name == "a");
  BOOST_TEST(config.classes[1].files.size() == 1u);
  BOOST_TEST(config.classes[2].where == "f == 1");
}

BOOST_AUTO_TEST_CASE(values_of_a_column) {
  const auto config = toml("class-column = 'jets.kind'\nclass-names = ['b:5', 'light:0|1', 'tau:tau']\n");
  BOOST_REQUIRE(config.classes.size() == 3u);
  BOOST_TEST(config.classes[0].where == "jets.kind == 5");
  BOOST_TEST(config.classes[1].where == "jets.kind == 0 || jets.kind == 1");
  BOOST_TEST(config.classes[2].where == "jets.kind == 'tau'");
}

BOOST_AUTO_TEST_CASE(mixes_hold_for_all_streams_or_one) {
  const auto config = toml(
      "mix = 'balanced'\n[class.a]\nwhere = 'x > 1'\n[class.b]\nwhere = 'x < 1'\n[stream.train]\n"
      "[stream.val]\nmix = 'b: 2, a:1'\nwithin = 'epoch'\nepoch-size = 3e6\n[stream.test]\n"
      "epoch-size = 'longest'\n");
  BOOST_TEST(text_of(config.streams[0].mix) == "balanced");
  BOOST_TEST((config.streams[0].mix.within == Mix::Within::batch));
  BOOST_TEST(text_of(config.streams[1].mix) == "b:2, a:1");
  BOOST_TEST((config.streams[1].mix.within == Mix::Within::epoch));
  BOOST_TEST(text_of(config.streams[1].mix.epoch_size) == "3000000");
  BOOST_TEST(text_of(config.streams[2].mix.epoch_size) == "longest");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::config
