// What becomes of virtual files: which of their other datasets stay, what people are told, and what streams may name.
#include "data/selection/scan_settings.hpp"

#include <boost/test/unit_test.hpp>

#include "base/error.hpp"
#include "data/selection/choice.hpp"

using namespace headrace;
using namespace headrace::condition;
using namespace headrace::config;
using namespace headrace::data::selection;

BOOST_AUTO_TEST_SUITE(scan_settings)

static bool keeps(const Config& config, const std::string& path, std::vector<std::string> aliases = {}) {
  h5::DatasetInfo dataset;
  dataset.path = path;
  dataset.aliases = std::move(aliases);
  dataset.dims = {10};
  return scan_options(config).keep(dataset);
}

BOOST_AUTO_TEST_CASE(a_dataset_that_is_named_anywhere_stays) {
  Config config;
  config.fields = {{.name = "jets", .source = {"a/jets.pt", "tracks[d0, z0]"}}, {.name = "hits", .source = {"hits.e"}}};
  config.fields[1].join = "hits/ids";
  config.fields[1].valid = "ok";
  config.where = "abs(weight) > 1";
  config.streams = {{.name = "train", .where = "/run == 3"},
                    {.name = "val", .select_file = "ids.txt", .select_by = "event"}};
  config.classes = {{.name = "b", .files = {}, .where = "flavour == 5 || flavour == 4"}};
  for (const auto* path : {"a/jets", "tracks", "hits", "hits/ids", "ok", "weight", "run", "event", "flavour"})
    BOOST_TEST(keeps(config, path), path);
  for (const auto* path : {"jet", "ids.txt", "runs", "weigh", "val", "a", "even", "d"})
    BOOST_TEST(!keeps(config, path), path);
  BOOST_TEST(keeps(config, "other", {"run"}));
  // Where no field is named, each may be one.
  config.fields.clear();
  BOOST_TEST(keeps(config, "other"));
}

BOOST_AUTO_TEST_CASE(gaps_are_filled_only_where_that_is_asked_for) {
  Config config;
  BOOST_TEST(!scan_options(config).fill_gaps);
  config.virtual_gaps = VirtualGaps::fill;
  BOOST_TEST(scan_options(config).fill_gaps);
}

static catalog::FileContents file(const std::string& path, const std::string& stands_for = "", bool continues = false) {
  catalog::FileContents contents{.path = path};
  if (!stands_for.empty()) contents.instead_of = catalog::NamedFile{.path = stands_for};
  contents.continues = continues;
  return contents;
}

BOOST_AUTO_TEST_CASE(people_are_told_how_virtual_files_are_read) {
  catalog::Contents contents{file("a.h5"), file("p0.h5", "v.h5"), file("p1.h5", "v.h5", true), file("w.h5")};
  contents[3].virtuals = {
      {.dataset = "x", .sources = 2, .why_not = "some reason"},
      {.dataset = "y", .sources = 2, .missing = {"q.h5"}, .rows = 9, .fill_rows = 4, .problem = "!"}};
  const auto notes = virtual_notes(contents);
  BOOST_REQUIRE(notes.size() == 3u);
  BOOST_TEST(notes[0].text == "v.h5 is virtual: its 2 files are read in its place");
  BOOST_TEST(notes[1].text == "w.h5 is virtual, and read through HDF5 (some reason)");
  BOOST_TEST(!notes[1].warning);
  BOOST_TEST(notes[2].text == "'y' in w.h5: virtual: 1 of 2 sources missing (q.h5): 4 rows would be the fill value");
  BOOST_TEST(notes[2].warning);
}

BOOST_AUTO_TEST_CASE(streams_name_a_virtual_file_or_its_sources) {
  catalog::Catalog catalog;
  catalog.files = {{.path = "d/p0.h5", .first_sample = 0, .samples = 4, .named = 0},
                   {.path = "d/p1.h5", .first_sample = 4, .samples = 3, .named = 0},
                   {.path = "b.h5", .first_sample = 7, .samples = 2, .named = 1}};
  catalog.named = {{.path = "v.h5", .first_sample = 0, .samples = 7},
                   {.path = "b.h5", .first_sample = 7, .samples = 2}};
  catalog.samples = 9;
  const auto chosen = [&](const std::string& pattern) {
    Config config;
    config.streams = {{.name = "train", .files = {pattern}}};
    return choose(config, catalog)[0].selection.size();
  };
  BOOST_TEST(chosen("v.h5") == 7u);
  BOOST_TEST(chosen("p1.h5") == 3u);
  BOOST_TEST(chosen("d/p*.h5") == 7u);
  BOOST_TEST(chosen("b.h5") == 2u);
  BOOST_CHECK_THROW(chosen("c.h5"), UsageError);
}

BOOST_AUTO_TEST_SUITE_END()
