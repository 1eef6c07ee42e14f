// Defaults, precedence, sections.
#include "config/config_fixture.hpp"

namespace headrace::config {

BOOST_FIXTURE_TEST_SUITE(config, ConfigFixture)

BOOST_AUTO_TEST_CASE(nothing_said_gives_the_defaults) {
  Config expected;
  expected.streams = {StreamConfig{}};
  BOOST_TEST((load({}) == expected));
  BOOST_TEST((toml("") == expected));
}

BOOST_AUTO_TEST_CASE(flag_then_environment_then_file) {
  const std::string file = "slots = 5\nthreads = 5\nseed = 5\n";
  const auto config = toml(file, {"--slots", "7"}, {{"HEADRACE_SLOTS", "6"}, {"HEADRACE_THREADS", "6"}});
  BOOST_TEST(config.slots == 7u);
  BOOST_TEST(config.threads == 6u);
  BOOST_TEST(config.seed == 5u);
}

BOOST_AUTO_TEST_CASE(within_a_source_the_section_goes_first_but_a_flag_wins_over_the_file) {
  const std::string file = "batch = 10\n[stream.train]\nbatch = 20\n[stream.val]\n";
  const auto plain = toml(file);
  BOOST_TEST(plain.streams[0].batch.value() == 20u);
  BOOST_TEST(plain.streams[1].batch.value() == 10u);
  const auto flagged = toml(file, {"--batch", "30", "--stream.val.batch=40"});
  BOOST_TEST(flagged.streams[0].batch.value() == 30u);
  BOOST_TEST(flagged.streams[1].batch.value() == 40u);
}

BOOST_AUTO_TEST_CASE(batch_and_global_batch_replace_each_other) {
  const auto config = toml("[stream.train]\nbatch = 20\n[stream.val]\nglobal-batch = 64\n", {}, {});
  BOOST_TEST(!config.streams[0].global_batch.has_value());
  BOOST_TEST(!config.streams[1].batch.has_value());
  BOOST_TEST(config.streams[1].global_batch.value() == 64u);
  const auto flagged = toml("[stream.train]\nbatch = 20\n", {"--global-batch", "128"});
  BOOST_TEST(flagged.streams[0].global_batch.value() == 128u);
  BOOST_TEST(!flagged.streams[0].batch.has_value());
  BOOST_TEST(
      has(toml_mistake("[stream.val]\nglobal-batch = 3\nbatch = 4\n"), "give one of batch and global-batch"));
}

BOOST_AUTO_TEST_CASE(fields_and_streams_keep_the_order_of_the_file) {
  const auto config = toml("[stream.zeta]\n[stream.alpha]\n[field.z]\n[field.a]\nsource = \"g/x\"\n[field.m]\n",
                           {"--field.b.source", "B"});
  const std::vector<FieldConfig> fields{{"z", {"z"}}, {"a", {"g/x"}}, {"m", {"m"}}, {"b", {"B"}}};
  BOOST_TEST((config.fields == fields));
  BOOST_TEST_REQUIRE(config.streams.size() == 2u);
  BOOST_TEST(config.streams[0].name == "zeta");
  BOOST_TEST(config.streams[1].name == "alpha");
}

BOOST_AUTO_TEST_CASE(inline_and_quoted_sections_are_the_same) {
  const auto config =
      toml("field.\"jets/in.puts\" = {}\nfield.b = {source = \"x\"}\n", {"--field.jets/in.puts.source=y"});
  const std::vector<FieldConfig> fields{{"jets/in.puts", {"y"}}, {"b", {"x"}}};
  BOOST_TEST((config.fields == fields));
}

BOOST_AUTO_TEST_CASE(last_depends_on_shuffle_unless_said) {
  BOOST_TEST((load({}).streams[0].last == plan::Last::drop));
  BOOST_TEST((load({"--shuffle", "none"}).streams[0].last == plan::Last::partial));
  BOOST_TEST((load({"--shuffle", "none", "--last", "drop"}).streams[0].last == plan::Last::drop));
  BOOST_TEST((toml("last = \"pad\"\n[stream.a]\n").streams[0].last == plan::Last::pad));
}

BOOST_AUTO_TEST_CASE(order_within_batches_is_sorted_unless_said) {
  BOOST_TEST((load({}).streams[0].order == plan::RowOrder::sorted));
  const auto config = toml("order = \"shuffled\"\n[stream.a]\n[stream.b]\norder = \"sorted\"\n");
  BOOST_TEST((config.streams[0].order == plan::RowOrder::shuffled));
  BOOST_TEST((config.streams[1].order == plan::RowOrder::sorted));
  BOOST_TEST((load({"--order", "shuffled"}).streams[0].order == plan::RowOrder::shuffled));
}

BOOST_AUTO_TEST_CASE(paths_of_the_file_are_relative_to_its_folder) {
  const auto config = toml("files = [\"data/*.h5\", \"../x.h5\", \"/abs/y.h5\"]\nsocket = \"run/s\"\n");
  BOOST_TEST_REQUIRE(config.files.size() == 3u);
  BOOST_TEST(config.files[0] == (folder / "data/*.h5").string());
  BOOST_TEST(config.files[1] == (folder.parent_path() / "x.h5").string());
  BOOST_TEST(config.files[2] == "/abs/y.h5");
  BOOST_TEST(config.socket == (folder / "run/s").string());
}

BOOST_AUTO_TEST_CASE(a_socket_is_a_path_even_without_a_slash) {
  const auto here = std::filesystem::current_path();
  BOOST_TEST(load({"--socket=lcd.sock"}).socket == (here / "lcd.sock").string());
  BOOST_TEST(load({"--socket=./lcd.sock"}).socket == (here / "lcd.sock").string());
  BOOST_TEST(load({}, {{"HEADRACE_SOCKET", "lcd.sock"}}).socket == (here / "lcd.sock").string());
  BOOST_TEST(toml("socket = \"lcd.sock\"\n").socket == (folder / "lcd.sock").string());
  BOOST_TEST(load({"--socket=/run/lcd.sock"}).socket == "/run/lcd.sock");
  BOOST_TEST(load({}).socket == "");
}

BOOST_AUTO_TEST_CASE(files_of_a_stronger_source_replace_those_of_a_weaker) {
  const std::string file = "files = \"a.h5\"\n";
  const std::vector<std::string> expected{"b.h5", "c*.h5"};
  BOOST_TEST((toml(file, {"b.h5", "c*.h5"}).files == expected));
  BOOST_TEST((toml(file, {"--files", "b.h5", "--files=c*.h5"}).files == expected));
  BOOST_TEST((toml(file, {"--files", "b.h5", "c*.h5"}).files == expected));
  BOOST_TEST((toml(file, {}, {{"HEADRACE_FILES", "b.h5:c*.h5"}}).files == expected));
}

BOOST_AUTO_TEST_CASE(every_kind_of_value) {
  const auto config = toml(
      "memory = \"1.5GiB\"\nlinger = \"2m\"\nstall-timeout = 2.5\nnode-timeout = 10\nranks = \"2-5\"\nstay = "
      "true\naudit = \"full\"\n"
      "io = \"direct\"\nvirtual-gaps = \"fill\"\nsplit-nodes = false\nepochs = 3\nselect = \":2.8e6\"\n");
  BOOST_TEST(config.memory == 1610612736u);
  BOOST_TEST(config.linger == 120.0);
  BOOST_TEST(config.stall_timeout == 2.5);
  BOOST_TEST(config.node_timeout == 10);
  BOOST_TEST((config.ranks == std::pair(2, 5)));
  BOOST_TEST(config.stay);
  BOOST_TEST((config.audit == Audit::full));
  BOOST_TEST((config.io == IoMode::direct));
  BOOST_TEST((config.virtual_gaps == VirtualGaps::fill));
  BOOST_TEST((load({}).virtual_gaps == VirtualGaps::error));
  BOOST_TEST(config.streams[0].epochs == 3u);
  BOOST_TEST(config.streams[0].select == ":2.8e6");
  BOOST_TEST(toml("memory = 1000000\n").memory == 1000000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::config
