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

BOOST_AUTO_TEST_CASE(lists_in_variables_are_parted_as_those_of_flags) {
  const Environment variables{{"HEADRACE_CLASS_COLUMN", "f"},
                              {"HEADRACE_CLASS_NAMES", "b:5, c:4"},
                              {"HEADRACE_RESAMPLE_TARGET", "flat"},
                              {"HEADRACE_RESAMPLE_BINS", "x = 0:1:2, 1:5:4"}};
  const auto config = load({}, variables);
  BOOST_TEST_REQUIRE(config.classes.size() == 2u);
  BOOST_TEST(config.classes[0].where == "f == 5");
  BOOST_TEST(config.classes[1].where == "f == 4");
  BOOST_TEST_REQUIRE(config.resample.bins.size() == 1u);
  BOOST_TEST(config.resample.bins[0].edges.size() == 7u);
  const auto fetching = "[inventory]\ncsv = 't.csv'\npath = 'http://host/{id}.npy'\n[field.x]\nsource = '@file'\n";
  const auto headers = toml(fetching, {}, {{"HEADRACE_FETCH_HEADERS", "Referer: http://a:80"}}).fetch.headers;
  BOOST_TEST((headers == std::vector<std::string>{"Referer: http://a:80"}));
}

BOOST_AUTO_TEST_CASE(the_file_of_a_target_is_beside_the_configuration_that_names_it) {
  const auto target = [&](const std::string& text, std::vector<std::string> args = {}) {
    return toml("[resample]\nbins = ['x = 0:1:2']\n" + text +
                    "[class.a]\nwhere = 'x > 1'\n[class.\"b.c\"]\nwhere = 'x < 1'\n",
                std::move(args))
        .resample.target;
  };
  BOOST_TEST(target("target = 'flat.txt'\n") == (folder / "flat.txt").string());
  BOOST_TEST(target("target = '../t'\n") == (folder / "../t").string());
  BOOST_TEST(target("target = '/abs/t.txt'\n") == "/abs/t.txt");
  for (const auto* word : {"flat", "min", "a", "b.c"})
    BOOST_TEST(target("target = '" + std::string(word) + "'\n") == word);
  BOOST_TEST(target("target = 'flat.txt'\n", {"--resample.target", "mine.txt"}) == "mine.txt");
  BOOST_TEST(target("target = 'flat.txt'\n", {"--resample.target", "flat"}) == "flat");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::config
