// Mutated configurations and sources: whatever stands there, the answer is a configuration or a UsageError.
#include <algorithm>
#include <random>

#include "config/config_fixture.hpp"
#include "data/columns/find_item.hpp"
#include "data/fields/scale_file.hpp"

namespace headrace::data::fields {

using namespace headrace::config;
using namespace headrace::data::columns;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int rounds = 10'000;
#else
constexpr int rounds = 100'000;
#endif

const char* const full = R"toml(name = "lcd"
files = ["data/*.h5", "${X}/a.h5"]
split = "train:0.8, val:0.2"
where = "jets.pt > 20e3 && abs(jets.eta) < 2.5 || tracks.n in (1, 2)"
memory = "1.5GiB"
slots = 4
[field.x]
source = ["jets[pt, eta]", "tracks.d0"]
scale = [1, 2.5e3]
shift = -1
log = ["pt"]
raw = "eta"
nonfinite = 0.5
dtype = "float16"
mask = "m"
shape = [2, 1]
[field.y]
source = "jets.flavour"
encode = "one-hot"
classes = ["b:5", "other:0|4|15"]
[field."z/1"]
join = "hid"
pad = 100
missing = 1
cf = "off"
[stream.train]
select = "train"
files = ["data/a.h5"]
batch = 32
[stream.val]
select = { file = "ids.txt", by = "index" }
where = "jets.pt < 5"
)toml";

/// Removes, doubles, moves and changes parts of a text; many results still are TOML.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::string operator()(std::string text) {
    for (auto n = 1 + at(3); n > 0 && !text.empty(); --n) change(text);
    return text;
  }

 private:
  std::size_t at(std::size_t below) { return random_() % below; }

  void change(std::string& text) {
    static const std::string words[] = {"[",
                                        "]",
                                        "{",
                                        "}",
                                        "\"",
                                        "=",
                                        ",",
                                        "\n",
                                        "-1",
                                        "1e999",
                                        "nan",
                                        "[]",
                                        "\"\"",
                                        "true",
                                        "0",
                                        "'",
                                        ".",
                                        "a.b[c]",
                                        "${",
                                        "}",
                                        "inf",
                                        "|",
                                        ":",
                                        "((",
                                        "))",
                                        "not ",
                                        "99999999999999999999",
                                        "\xff",
                                        std::string(1, '\0')};
    const auto from = at(text.size());
    const auto length = std::min(text.size() - from, 1 + at(12));
    switch (at(4)) {
      case 0:
        text.erase(from, length);
        break;
      case 1:
        text.insert(at(text.size()), text.substr(from, length));
        break;
      case 2:
        text.insert(from, words[at(std::size(words))]);
        break;
      default:
        text.replace(from, length, words[at(std::size(words))]);
    }
  }

  std::mt19937_64 random_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(config_fuzz, ConfigFixture)

BOOST_AUTO_TEST_CASE(mutated_files_are_read_or_refused) {
  Mutator mutate(1);
  int read = 0, refused = 0;
  for (int i = 0; i < rounds * 7 / 10; ++i) {  // each is a file that is written and read
    const auto text = mutate(full);
    try {
      toml(text, {}, {{"X", "data"}});
      ++read;
    } catch (const UsageError& error) {
      BOOST_TEST_REQUIRE(std::string(error.what()).size() > 10u);
      ++refused;
    }
  }
  BOOST_TEST(read > rounds / 50);
  BOOST_TEST(refused > rounds / 50);
}

BOOST_AUTO_TEST_CASE(mutated_values_are_taken_or_refused) {
  Mutator mutate(2);
  const std::pair<std::string, std::string> flags[] = {
      {"--split", "train:0.8, val:0.2"}, {"--where", "abs(a.b) > 1"},        {"--field.x.scale", "1,2.5"},
      {"--field.x.shape", "3,4"},        {"--field.x.source", "a[b,c],d.e"}, {"--field.x.nonfinite", "keep"},
      {"--field.x.classes", "a:1,b:2"},  {"--field.x.join-base", "-1"},      {"--stream.s.select", "0:10"}};
  int taken = 0;
  for (int i = 0; i < rounds; ++i) {
    const auto& [flag, value] = flags[static_cast<std::size_t>(i) % std::size(flags)];
    try {
      load({flag + "=" + mutate(value)});
      ++taken;
    } catch (const UsageError&) {
    }
  }
  BOOST_TEST(taken > rounds / 50);
}

BOOST_AUTO_TEST_CASE(mutated_sources_are_items_or_refused) {
  Mutator mutate(3);
  RawDatasets datasets;
  for (const auto* path : {"jets", "jets.pt", "g/tracks"}) datasets.add({.path = path, .type = {}, .row_shape = {}});
  int items = 0, found = 0;
  for (int i = 0; i < rounds; ++i) {
    try {
      const auto item = SourceItem::parse(mutate(i % 3 == 0   ? "g/tracks[pt, eta]"
                                                 : i % 3 == 1 ? "jets.pt"
                                                              : "`jets`.\"pt\""));
      BOOST_TEST_REQUIRE(!item.path.empty());
      BOOST_TEST_REQUIRE(item.bracketed == !item.columns.empty());
      ++items;
      const auto place = find_item(item, datasets);
      BOOST_TEST_REQUIRE(datasets.find(place.dataset) != nullptr);
      ++found;
    } catch (const UsageError&) {
    }
  }
  BOOST_TEST(items > rounds / 50);
  BOOST_TEST(found > rounds / 50);
}

BOOST_AUTO_TEST_CASE(mutated_scale_files_are_read_or_refused) {
  Mutator mutate(4);
  int read = 0;
  for (int i = 0; i < rounds; ++i) {
    const bool json = i % 2;
    try {
      ScaleFile::parse(mutate(json ? R"({"jets": {"pt": {"shift": 1, "scale": 2}}, "a": [{"name": "b", "mean": 1}]})"
                                   : "jets:\n  pt: {shift: 1, scale: &s 2}\na:\n- name: b\n  mean: *s\n"),
                       json ? "s.json" : "s.yaml");
      ++read;
    } catch (const UsageError&) {
    }
  }
  BOOST_TEST(read > rounds / 50);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace headrace::data::fields
