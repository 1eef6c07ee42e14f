// The command line: short flags, switches, values that look like flags, a command's own flags, help.
#include "config/config_fixture.hpp"

namespace headrace::config {

BOOST_FIXTURE_TEST_SUITE(config_flags, ConfigFixture)

namespace {

const Command wait{"wait", "[NAME]", "Waits.",
                   "",     false,    {{"timeout", 0, "TIME", "60", "how long"}, {"json", 'j', "", "", "as JSON"}}};

}  // namespace

BOOST_AUTO_TEST_CASE(switches_take_no_value_but_may_have_one) {
  const auto config = load({"--stay", "a.h5", "-q"});
  BOOST_TEST(config.stay);
  BOOST_TEST(config.quiet);
  BOOST_TEST((config.files == std::vector<std::string>{"a.h5"}));
  BOOST_TEST(!toml("stay = true\n", {"--stay=false"}).stay);
}

BOOST_AUTO_TEST_CASE(values_may_begin_with_a_dash) {
  BOOST_TEST(load({"--select", "-100:"}).streams[0].select == "-100:");
  BOOST_TEST(load({"--select=-100:"}).streams[0].select == "-100:");
  BOOST_TEST((load({"--", "-odd.h5"}).files == std::vector<std::string>{"-odd.h5"}));
}

BOOST_AUTO_TEST_CASE(a_flag_without_its_value_or_given_twice) {
  BOOST_TEST(has(flag_mistake({"--batch"}), "'--batch'"));
  BOOST_TEST(has(flag_mistake({"--batch", "1", "--batch", "2"}), "'--batch' is given twice"));
}

BOOST_AUTO_TEST_CASE(own_flags_of_a_command) {
  Mistakes mistakes;
  const auto given = parse_arguments(wait, {"lcd", "--timeout", "5", "-j"}, mistakes);
  BOOST_TEST(mistakes.empty());
  BOOST_TEST(seconds(given.value("timeout", "60")) == 5.0);
  BOOST_TEST(given.has("json"));
  BOOST_TEST((given.positional == std::vector<std::string>{"lcd"}));
  BOOST_TEST(seconds(parse_arguments(wait, {}, mistakes).value("timeout", "60")) == 60.0);
  BOOST_TEST(mistakes.empty());
  parse_arguments(wait, {"--batch", "5"}, mistakes);
  BOOST_TEST(!mistakes.empty());
}

BOOST_AUTO_TEST_CASE(help_names_every_flag) {
  const Command serve{"serve", "[FILE...]", "Serves.", "", true, {}};
  const auto text = help_text(serve);
  for (const auto& key : keys())
    BOOST_TEST(
        has(text, "--" + (key.scope == Scope::field ? "field.NAME." : std::string()) + std::string(key.name)),
        key.name);
  BOOST_TEST(has(help_text(wait), "--timeout TIME"));
  BOOST_TEST(!has(help_text(wait), "--batch"));
  Mistakes mistakes;
  BOOST_TEST(parse_arguments(serve, {"-h"}, mistakes).help);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::config
