// Sections that stand once, and those of inventories: what they mean together with the fields.
#include "config/config_fixture.hpp"
#include "config/inventory.hpp"

namespace headrace::config {

BOOST_FIXTURE_TEST_SUITE(config_inventory, ConfigFixture)

namespace {

const std::string table = "[inventory]\ncsv = \"t.csv\"\npath = \"data/{id}.npy\"\n";

}  // namespace

BOOST_AUTO_TEST_CASE(keys_of_a_section_from_file_flag_and_environment) {
  const auto field = std::string("[field.x]\nsource = \"@file\"\n");
  BOOST_TEST(toml(table + field).inventory.csv == (folder / "t.csv").string());  // relative to the configuration
  BOOST_TEST(toml(table + field).inventory.path == "data/{id}.npy");             // relative to the table
  BOOST_TEST(toml(table + field, {"--inventory.id", "name"}).inventory.id == "name");
  BOOST_TEST(toml(table + field, {}, {{"HEADRACE_INVENTORY_ID", "name"}}).inventory.id == "name");
  BOOST_TEST(toml("inventory.csv = \"t.csv\"\ninventory.path = \"{id}.npy\"\n" + field).inventory.path == "{id}.npy");
}

BOOST_AUTO_TEST_CASE(mistakes_in_a_section) {
  BOOST_TEST(has(toml_mistake("[inventory]\ncvs = \"t.csv\"\n"),
                      "lcd.toml:2: [inventory] unknown key 'cvs'; did you mean 'csv'? (available: csv, id, path"));
  BOOST_TEST(has(toml_mistake("inventory = 3\n"), "inventory is not a value; begin a section with [inventory]"));
  BOOST_TEST(has(toml_mistake(table + "missing = \"drop\"\n"), "is not one of error, skip"));
}

BOOST_AUTO_TEST_CASE(fields_get_their_decoder) {
  const auto config = toml(table +
                           "[field.x]\nsource = \"@file\"\n[field.a]\ndecoder = \"npz:a.b\"\n[field.r]\ndecoder = "
                           "\"raw:int8:2,3\"\n[field.y]\nsource = \"@csv.target\"\n");
  BOOST_TEST(config.fields[0].decoder == "npy");
  BOOST_TEST(config.fields[0].source[0] == "@file:npy");
  BOOST_TEST(config.fields[1].source[0] == "@file:npz:a.b");
  BOOST_TEST(config.fields[2].source[0] == "`@file:raw:int8:2,3`");
  BOOST_TEST(config.fields[3].source[0] == "@csv.target");
  const auto columns = toml(table + "[field.x]\nsource = [\"@file.b\", \"@file[a, c]\"]\n" +
                            "[field.r]\nsource = \"@file.0\"\ndecoder = \"raw:int8:2,3\"\n");
  BOOST_TEST(columns.fields[0].source[0] == "@file:npy.b");
  BOOST_TEST(columns.fields[0].source[1] == "@file:npy[a, c]");
  BOOST_TEST(columns.fields[1].source[0] == "`@file:raw:int8:2,3`.0");
  BOOST_TEST(decoder_in("@file:npz:a.b") == "npz:a.b");
  BOOST_TEST(decoder_in("@csv") == "");
}

BOOST_AUTO_TEST_CASE(what_contradicts) {
  const auto x = std::string("[field.x]\nsource = \"@file\"\n");
  BOOST_TEST(has(toml_mistake("files = [\"a.h5\"]\n" + table + x), "csv contradicts files"));
  BOOST_TEST(has(toml_mistake(table + x, {"more.h5"}), "csv contradicts files"));
  BOOST_TEST(has(toml_mistake(table + x, {"--files", "more.h5"}), "csv contradicts files"));
  BOOST_TEST(has(toml_mistake(table), "an inventory needs fields"));
  BOOST_TEST(has(toml_mistake(x), "[field.x] source = '@file' is of an inventory, and there is none"));
  BOOST_TEST(has(toml_mistake("[field.x]\nsource = \"@file.b\"\n"), "'@file.b' is of an inventory"));
  BOOST_TEST(has(toml_mistake("[field.x]\ndecoder = \"npy\"\n"), "decoder has no effect without an inventory"));
  BOOST_TEST(has(toml_mistake("[inventory]\nid = \"name\"\n"), "[inventory] has no csv"));
  BOOST_TEST(has(toml_mistake("[fetch]\nretries = 2\n"), "[fetch] has no effect without [inventory]"));
  BOOST_TEST(has(toml_mistake(table + "[fetch]\nretries = 2\n" + x), "[fetch] has no effect on files"));
  BOOST_TEST(has(toml_mistake("[inventory]\ncsv = \"t\"\npath = \"a.npy\"\n" + x), "one file for all samples"));
  BOOST_TEST(has(toml_mistake("[inventory]\ncsv = \"t\"\npath = \"{id.npy\"\n" + x), "braces do not match"));
  BOOST_TEST(has(toml_mistake("[inventory]\ncsv = \"t\"\n" + x), "'@file' needs a decoder"));
  BOOST_TEST(has(toml_mistake("[inventory]\ncsv = \"t\"\n[field.x]\ndecoder = \"npy\"\n"), "has no path"));
  BOOST_TEST(has(toml_mistake(table + "[field.x]\nsource = \"jets\"\n"), "neither '@file' nor '@csv.COLUMN'"));
  BOOST_TEST(has(toml_mistake(table + x + "[stream.a]\nfiles = [\"a\"]\n"), "files has no meaning"));
}

BOOST_AUTO_TEST_CASE(secrets_are_not_repeated) {
  const auto mistake = toml_mistake(table + "[fetch]\nheaders = [\"${TOKEN}\"]\n", {}, {{"TOKEN", "s3cret"}});
  BOOST_TEST(has(mistake, "not 'Name: value'"));
  BOOST_TEST(!has(mistake, "s3cret"));
  BOOST_TEST(!has(flag_mistake({"--fetch.headers", "s3cret"}), "s3cret"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::config
