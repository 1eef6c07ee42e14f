// Fingerprints that trainers' saved states hold, recorded once: they must never change. A new key adds nothing where it
// has its default; a key that was named is hashed as it was named, not as what it stands for. Never record a line anew
// to make this test pass: add lines.
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "config/config_fixture.hpp"
#include "data/fields/field_fixture.hpp"
#include "service/blueprint/fingerprint.hpp"

namespace headrace::service::blueprint {

using namespace headrace::config;
using namespace headrace::data::columns;
using namespace headrace::data::fields;

namespace {

struct RecordedConfig {
  const char* toml;
  const char* fields;
  std::vector<const char*> streams;
  const char* seed = "0";
};

/// Every key that counts, alone and beside others; the keys that don't stand in the last one.
const std::vector<RecordedConfig> configs{
    {"files = ['a.h5']", "cbf29ce484222325", {"737734172723da32"}},
    {"files = ['a.h5']\n[field.ECAL]\n[field.label]\nsource = 'OneHot'", "97ac68e8317ccfbb", {"737734172723da32"}},
    {"files = ['a.h5']\n[field.x]\nscale = 150\nshift = -2.5\ndtype = 'float16'\noverflow = 'saturate'",
     "10a5cde49ada24da",
     {"737734172723da32"}},
    {"files = ['a.h5']\n[field.x]\nsource = ['jets[pt, eta]', 'tracks[d0, nhits]']\nscale = [1, 2, 3, 4]\n"
     "log = ['pt']\nraw = ['eta']\nnonfinite = 0.5\ndtype = 'float64'\noverflow = 'error'",
     "adae2b2deefebd2d",
     {"737734172723da32"}},
    {"files = ['a.h5']\n[field.x]\nscale-file = 'scales.json'\nnorm = 'standard'\nnonfinite = 'default'\n"
     "[field.y]\nscale-file = 'scales.json'\nnorm = 'minmax'\nnorm-over = 'field'\nnonfinite = 'keep'\n"
     "[field.z]\nnorm = 'tanh-log'\nnonfinite = 'error'",
     "b7df36980d8c57f6",
     {"737734172723da32"}},
    {"files = ['a.h5']\n[field.flavour]\nsource = 'jets.flavour'\nencode = 'one-hot'\nclasses = ['b:5', 'other:0|4']\n"
     "[field.kind]\nencode = 'index'",
     "ad7112541275795c",
     {"737734172723da32"}},
    {"files = ['a.h5']\n[field.t]\nsource = 'tracks[d0]'\nvalid = 'tracks.valid'\nmask = 'real'\n"
     "[field.hits]\npad = 40\noverlong = 'truncate'\n"
     "[field.table]\njoin = 'hid'\njoin-base = 0\npad = 8\n[field.old]\njoin = 'hid'\npad = 8",
     "495655b661152421",
     {"737734172723da32"}},
    {"files = ['a.nc']\n[field.t2m]\ncf = 'on'\n[field.u]\ncf = 'off'\n[field.w]\ncf = 'auto'\nmissing = 1\n"
     "[field.v]\nshape = [1, 24, 8]\n[field.p]\nplugin = '/opt/lib.so'\nplugin-args = 'a=1'",
     "c139f7bd788231fe",
     {"737734172723da32"}},
    {"files = ['a.h5']\nseed = 7\nsplit = 'train:0.8, val:0.1, test:0.1'\nwhere = 'jets.pt > 20e3'\n"
     "[stream.train]\nselect = 'train'\nwhere = 'jets.eta < 2.5'\n[stream.val]\nselect = 'val'\nshuffle = 'none'\n"
     "[stream.test]\nselect = 'test'\nshuffle = 'none'\nlast = 'pad'",
     "cbf29ce484222325",
     {"27299aa738583676", "05d79994f3af296f", "04334da50e8c26a4"},
     "7"},
    {"files = ['*.h5']\n[stream.some]\nfiles = ['data/a*.h5', 'b.h5']\nselect = ':2.8e6'\nlast = 'partial'\n"
     "[stream.list]\nselect = { file = 'ids.txt', by = 'index' }\n"
     "[stream.ids]\nselect = { file = 'ids.txt', by = 'jets.event' }",
     "cbf29ce484222325",
     {"5b932e40aadde9ab", "e3776e32ed361f79", "0f034ac80b263089"}},
    {"files = ['a.h5']\nselect = '100:'\nshuffle = 'none'\nlast = 'drop'", "cbf29ce484222325", {"f62122887ee8c1d4"}},
    {"files = ['a.h5']\nname = 'lcd'\ntrainers-per-node = 4\nslots = 8\nthreads = 3\nmemory = '1GiB'\nio = 'direct'\n"
     "batch = 64\norder = 'shuffled'\nepochs = 9\nlinger = 5\nstay = true\naudit = 'full'\nquiet = true\n"
     "split-nodes = true",
     "cbf29ce484222325",
     {"737734172723da32"}},
};

/// An element type of every kind, as files declare them.
std::vector<h5::TypeInfo> types() {
  using h5::Kind;
  auto big = f32();
  big.big_endian = true;
  auto brain = number_type(Kind::floating, 2);
  brain.bfloat = true;
  auto odd = i32();
  odd.standard = false;
  auto labels = i32();
  labels.kind = Kind::enumeration;
  labels.labels = {{"light", 0}, {"c", 4}, {"b", 5}};
  return {f32(),
          big,
          f64(),
          number_type(Kind::floating, 2),
          brain,
          number_type(Kind::integer, 1),
          i16(),
          i32(),
          i64(),
          u8(),
          number_type(Kind::integer, 8, false),
          odd,
          boolean(),
          labels,
          text(8),
          text(0),
          array(f32(), {2, 2}),
          vlen(i32()),
          vlen(compound({{"e", f32()}, {"t", f64()}})),
          compound({{"pt", f32()}, {"name", text(4)}, {"cov", array(f64(), {3})}}),
          h5::TypeInfo{.kind = Kind::other, .size = 12}};
}

catalog::Catalog two_files(std::vector<h5::TypeInfo> of) {
  catalog::Catalog catalog;
  catalog.files = {
      {.path = "/scratch/a.h5", .bytes = 100, .mtime_ns = 1, .head = 0x1234, .first_sample = 0, .samples = 6},
      {.path = "/scratch/b.h5", .bytes = 90, .mtime_ns = 2, .head = ~0ull, .first_sample = 6, .samples = 4}};
  for (const auto& type : of)
    catalog.datasets.push_back({.path = "g/x", .row_shape = {3, 2}, .type = type, .row_bytes = 6 * type.size});
  catalog.samples = 10;
  return catalog;
}

/// Of an empty configuration, for these files.
std::string files_part(const catalog::Catalog& catalog) {
  Config config;
  config.streams.resize(1);
  return fingerprint_of(config, config.streams[0], catalog).at("files");
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(fingerprint_recorded, ConfigFixture)

BOOST_AUTO_TEST_CASE(configurations_have_the_fingerprints_that_saved_states_hold) {
  std::ofstream(folder / "scales.json") << "{\"x\": {\"mean\": 1, \"std\": 2, \"default\": 0}}";
  std::ofstream(folder / "ids.txt") << "4\n2\n17\n";
  for (const auto& recorded : configs) {
    const auto config = toml(recorded.toml);
    BOOST_TEST_REQUIRE(config.streams.size() == recorded.streams.size());
    for (std::size_t s = 0; s < config.streams.size(); ++s) {
      const auto found = fingerprint_of(config, config.streams[s], {});
      BOOST_TEST(found.at("fields") == recorded.fields, recorded.toml << "\nfields: " << found.at("fields"));
      BOOST_TEST(found.at("stream") == recorded.streams[s],
                 recorded.toml << "\nstream " << s << ": " << found.at("stream"));
      BOOST_TEST(found.at("seed") == recorded.seed);
      BOOST_TEST(found.size() == 4u);
    }
  }
}

BOOST_AUTO_TEST_CASE(files_have_the_fingerprints_that_saved_states_hold) {
  const std::vector<const char*> recorded{
      "5e063571be15e95e", "6fd5a7429320ec08", "b98f2edd6cd285d1", "a5a720ba75e97f0c", "8ec60c85f3ae8087",
      "ce6bd5f6c320de79", "65d96bf8bd11f57d", "feb5d547060dbf87", "efd068af48992994", "ed72e75674c7dafd",
      "18fdc633c5420160", "f03b97a645c96003", "e25ba4e69a5340fa", "6b91aeb444601a0a", "70b70d3b43d7b54b",
      "98bea6bc2de3da2f", "30b8d1545029a7a8", "9d95763b0516c410", "904e6a532aca19c1", "9034351b8a77d95c",
      "e7732585eb09f0fd"};
  const auto all = types();
  BOOST_TEST_REQUIRE(recorded.size() == all.size());
  for (std::size_t t = 0; t < all.size(); ++t) {
    const auto found = files_part(two_files({all[t]}));
    BOOST_TEST(found == recorded[t], h5::text_of(all[t]) << ": " << found);
  }
  BOOST_TEST(files_part({}) == "cbf29ce484222325");
  BOOST_TEST(files_part(two_files({})) == "e73c2cfe7b42f790");
  BOOST_TEST(files_part(two_files(all)) == "642f01b0ab593f41");
}

/// What a file is found to hold, and so the fingerprint, comes from it alone: of a file with every kind of dataset.
BOOST_AUTO_TEST_CASE(a_file_has_the_fingerprint_that_saved_states_hold) {
  const catalog::Contents contents{catalog::examine(RECORDED_FILE)};
  const std::vector<std::pair<const char*, const char*>> recorded{
      {"image", "4b7d15652d9ad441"},  {"half", "61325e7f0551deb1"},   {"wide", "29d928adf4914445"},
      {"i1", "5bd2f14cfe2af9f2"},     {"u1", "3a186bf5165d096a"},     {"i2", "31ee8ea296051f02"},
      {"u2", "bfd7902a30560796"},     {"i4", "0578f2cb0a05d4ee"},     {"u4", "069be10ecbbb577c"},
      {"i8", "d405e8589c7212d1"},     {"u8", "db22d75f53756403"},     {"flag", "7a9d529c518bf7e3"},
      {"kind", "f3fde28f5661d5a0"},   {"name", "87e688768640d6e0"},   {"text", "ebc895007dadbc76"},
      {"tracks", "997b8e02e1da877a"}, {"packed", "2ed66e9ebec659b5"}, {"hits", "2756e888d8537c86"}};
  std::vector<std::string> paths;
  for (const auto& [path, print] : recorded) {
    const auto found = files_part(catalog::select(contents, {path}));
    BOOST_TEST(found == print, path << ": " << found);
    paths.emplace_back(path);
  }
  BOOST_TEST(files_part(catalog::select(contents, paths)) == "a6a48c9683d548c3");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::service::blueprint
