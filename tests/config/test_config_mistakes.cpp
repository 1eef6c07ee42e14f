// What a wrong configuration is told: what, where, what would be right, and everything at once.
#include "config/config_fixture.hpp"

namespace headrace::config {

BOOST_FIXTURE_TEST_SUITE(config_mistakes, ConfigFixture)

BOOST_AUTO_TEST_CASE(unknown_keys_suggest_the_nearest) {
  const auto text = toml_mistake("name = \"x\"\ntrainers_per_node = 2\n");
  BOOST_TEST(has(text, "lcd.toml:2: unknown key 'trainers_per_node'; did you mean 'trainers-per-node'?"));
  BOOST_TEST(has(
      toml_mistake("[stream.a]\nbach = 2\n"),
      "lcd.toml:2: [stream.a] unknown key 'bach'; did you mean 'batch'? (available: files, select, select-file"));
  BOOST_TEST(has(toml_mistake("[field.a]\nsorce = \"x\"\n"), "did you mean 'source'?"));
  BOOST_TEST(has(toml_mistake("[streams.a]\nbatch = 2\n"), "lcd.toml:1: unknown key 'streams'"));
}

BOOST_AUTO_TEST_CASE(unknown_flags_suggest_the_nearest) {
  BOOST_TEST(has(flag_mistake({"--bach", "3"}), "unknown flag '--bach'; did you mean '--batch'?"));
  BOOST_TEST(has(flag_mistake({"--stream.val.bach=3"}), "unknown key 'bach' in flag '--stream.val.bach'"));
  BOOST_TEST(has(flag_mistake({"-z"}), "unknown flag '-z'"));
  BOOST_TEST(has(flag_mistake({"--epoch", "3"}), "did you mean '--epochs'?"));  // no guessing by prefix
}

BOOST_AUTO_TEST_CASE(wrong_values_say_place_and_what_is_allowed) {
  BOOST_TEST(toml_mistake("[stream.train]\nbatch = \"many\"\n") ==
             "lcd.toml:2: [stream.train] batch = 'many' is not a whole number from 1 to 1073741824");
  BOOST_TEST(flag_mistake({"--slots", "1"}) == "--slots 1 is not a whole number from 2 to 1024");
  BOOST_TEST(flag_mistake({}, {{"HEADRACE_SEED", "-1"}}) == "HEADRACE_SEED=-1 is not a whole number, 0 or more");
  BOOST_TEST(flag_mistake({"--order", "random"}) == "--order random is not one of sorted, shuffled, drawn");
  BOOST_TEST(flag_mistake({"--stream.v.last=lots"}) == "--stream.v.last lots is not one of drop, partial, pad");
  BOOST_TEST(has(flag_mistake({"--memory", "lots"}), "--memory lots is not a size"));
  BOOST_TEST(has(flag_mistake({"--linger", "2 days"}), "--linger 2 days is not a time"));
  BOOST_TEST(flag_mistake({"--stay=maybe"}) == "--stay=maybe is not true or false");
  BOOST_TEST(has(flag_mistake({"--name", "a/b"}), "--name a/b is not a service name"));
  BOOST_TEST(has(flag_mistake({"--name", ".a"}), "the first no '.'"));
}

BOOST_AUTO_TEST_CASE(wrong_types_in_the_file) {
  BOOST_TEST(has(toml_mistake("name = 5\n"), "lcd.toml:1: name = 5 is not a text in quotes"));
  BOOST_TEST(has(toml_mistake("batch = true\n"), "batch = true is not a whole number"));
  BOOST_TEST(has(toml_mistake("batch = 2.5\n"), "batch = 2.5 is not a whole number"));
  BOOST_TEST(has(toml_mistake("batch = [1, 2]\n"), "is not a single value"));
  BOOST_TEST(has(toml_mistake("files = [1]\n"), "is not a list of texts in quotes"));
  BOOST_TEST(has(toml_mistake("seed = 2020-01-01\n"), "is not a single value"));
  BOOST_TEST(has(toml_mistake("stream = 3\n"), "begin a section with [stream.NAME]"));
  BOOST_TEST(has(toml_mistake("[stream]\nbatch = 3\n"), "stream.batch is not a section"));
}

BOOST_AUTO_TEST_CASE(malformed_toml_says_line_and_column) {
  const auto text = toml_mistake("name = \"x\"\nbatch = = 3\n");
  BOOST_TEST(has(text, "lcd.toml:2:9: not TOML ("));
  BOOST_TEST(has(toml_mistake("batch = 1\nbatch = 2\n"), "lcd.toml:2:"));
}

BOOST_AUTO_TEST_CASE(data_in_place_of_a_configuration) {
  const auto text = toml_mistake("\x89HDF\r\n\x1a\n");
  BOOST_TEST((has(text, "lcd.toml: this is an HDF5 file") && has(text, "without it")), text);
}

BOOST_AUTO_TEST_CASE(unreadable_configuration) {
  BOOST_TEST(has(flag_mistake({"-c", "/nowhere/x.toml"}), "cannot be read (no such file)"));
  BOOST_TEST(has(flag_mistake({"-c", folder.string()}), "is a directory"));
}

BOOST_AUTO_TEST_CASE(all_mistakes_are_told_together) {
  const auto text = toml_mistake("bach = 3\nslots = 0\n[stream.a]\n[stream.b]\nlast = \"x\"\n",
                                 {"--sed", "3", "--threads=x"}, {{"HEADRACE_LINGER", "x"}, {"HEADRACE_EPOCHS", "x"}});
  BOOST_TEST(has(text, "7 mistakes:\n"));  // HEADRACE_EPOCHS holds for two streams and is told once
  for (const auto* part :
       {"bach", "slots = 0", "last = ", "--sed", "--threads x", "HEADRACE_LINGER", "HEADRACE_EPOCHS"})
    BOOST_TEST(has(text, part), part);
}

BOOST_AUTO_TEST_CASE(what_only_follows_from_a_mistake_is_not_told) {
  const auto alone = [&](const std::string& text, const std::string& part) {
    const auto said = toml_mistake(text);
    BOOST_TEST(!has(said, "mistakes:"), said);
    BOOST_TEST(has(said, part), said);
  };
  alone("split = \"train:0.8, val\"\n[stream.a]\nselect = \"val\"\n", "split = ");
  alone("splti = \"train:0.8, val:0.2\"\n[stream.a]\nselect = \"val\"\n", "did you mean 'split'?");
  alone("[field.x]\njoin = \"id\"\npad = 0\n", "pad = 0");
  alone("[field.x]\nencode = \"onehot\"\nclasses = [\"a:1\"]\n", "did you mean 'one-hot'?");
  alone("[field.x]\nencoding = \"index\"\nclasses = [\"a:1\"]\n", "unknown key 'encoding'");
  alone("[field.x]\nnorm = \"standard\"\nscale_file = \"s.json\"\n", "did you mean 'scale-file'?");
  alone("[field.x]\nscale = 0\nraw = \"a\"\n", "scale = 0");
  alone("[stream.a]\nselect = { file = 5, by = \"index\" }\n", "select-file = 5");
  const auto both = toml_mistake("[field.x]\nscale = 0\nclasses = [\"a:1\"]\n");
  BOOST_TEST(has(both, "2 mistakes:"), both);  // these have nothing to do with each other
}

BOOST_AUTO_TEST_CASE(flags_that_expect_the_file_do_not_add_to_its_mistakes) {
  const auto text = toml_mistake("split = \n", {"--select", "train"});
  BOOST_TEST((has(text, "not TOML") && !has(text, "mistakes:")), text);
}

BOOST_AUTO_TEST_CASE(variables_expand_in_the_file) {
  const Environment variables{{"DATA", "/data"}, {"B", "16"}};
  const auto config = toml("files = [\"${DATA}/x.h5\"]\nbatch = \"${B}\"\nselect = \"$${B}\"\n", {}, variables);
  BOOST_TEST(config.files[0] == "/data/x.h5");
  BOOST_TEST(config.streams[0].batch.value() == 16u);
  BOOST_TEST(config.streams[0].select == "${B}");
  BOOST_TEST(
      has(toml_mistake("name = \"a\"\nfiles = [\"${DATE}/x\"]\n", {}, variables), "variable 'DATE' is not set"));
  BOOST_TEST(has(toml_mistake("name = \"${DATA\"\n", {}, variables), "no closing '}'"));
}

BOOST_AUTO_TEST_CASE(variables_nearly_named_like_keys) {
  BOOST_TEST(
      has(flag_mistake({}, {{"HEADRACE_TRAINERS_PER_NODES", "2"}}), "did you mean 'HEADRACE_TRAINERS_PER_NODE'?"));
  BOOST_TEST(flag_mistake({}, {{"HEADRACE_BUILD", "x"}, {"HEADRACE_DIR", "x"}, {"HEADRACE_HOME", "x"}}) ==
             "no mistake");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::config
