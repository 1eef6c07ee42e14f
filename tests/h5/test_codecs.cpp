// Filters undone on memory: what h5py and hdf5plugin wrote, and what comes of damage.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <string>

#include "h5/codecs/bitshuffle.hpp"
#include "h5/codecs/codecs.hpp"
#include "h5/codecs/plugins.hpp"
#include "h5/describe.hpp"
#include "h5/formula.hpp"
#include "h5/read.hpp"

using namespace headrace;
using namespace headrace::h5;
using namespace headrace::h5::codecs;

BOOST_AUTO_TEST_SUITE(codecs)

static std::map<std::string, DatasetInfo> contents(const std::string& name) {
  std::map<std::string, DatasetInfo> found;
  for (auto& dataset : describe_datasets(open_file(fixture(name)))) found[dataset.path] = dataset;
  return found;
}

BOOST_AUTO_TEST_CASE(bits_come_back_to_their_elements) {
  std::minstd_rand random(1);
  for (const std::size_t size : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 12u, 16u, 19u})
    for (const std::size_t elements : {8u, 16u, 128u, 136u, 256u, 1000u}) {
      std::vector<std::byte> from(size * elements), to(from.size() + 8, std::byte{0x5a}), expected(from.size());
      for (auto& b : from) b = static_cast<std::byte>(random());
      for (std::size_t e = 0; e < elements; ++e)
        for (std::size_t j = 0; j < size; ++j)
          for (std::size_t k = 0; k < 8; ++k)
            if ((from[(8 * j + k) * elements / 8 + e / 8] >> (e % 8) & std::byte{1}) != std::byte{0})
              expected[e * size + j] |= std::byte{1} << k;
      unbitshuffle(from.data(), elements, size, to.data());
      BOOST_TEST(std::equal(expected.begin(), expected.end(), to.begin()), size << " bytes, " << elements);
      BOOST_TEST((to[from.size()] == std::byte{0x5a}));
    }
}

BOOST_AUTO_TEST_CASE(short_names) {
  const auto found = contents("filters.h5");
  const std::map<std::string, std::string> names{{"lz4", "lz4"},
                                                 {"zstd", "zstd(7)"},
                                                 {"bzip2", "bzip2(2)"},
                                                 {"bits", "bitshuffle"},
                                                 {"bits_lz4", "bitshuffle(lz4)"},
                                                 {"bits_zstd", "bitshuffle(zstd)"},
                                                 {"szip", "szip"},
                                                 {"blosc_lz4", "blosc(lz4)"},
                                                 {"blosc_blosclz", "blosc(blosclz)"},
                                                 {"blosc_zstd", "blosc(zstd)"},
                                                 {"blosc2_zstd", "blosc2(zstd)"}};
  for (const auto& [path, name] : names) BOOST_TEST(text_of(found.at(path).filters.at(0)) == name);
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_named_shortly_with_a_way_to_get_it) {
  const auto unknown = contents("unknown_filter.h5").at("x").filters.at(0);
  BOOST_TEST(text_of(unknown) == "filter 32123 (not available)");
  BOOST_TEST(how_to_get(unknown) == "name the folder of its plug-in in HDF5_PLUGIN_PATH");
  Filter bits{filter_bitshuffle, "bitshuffle", {0, 4, 4, 0, 2}, false};
  BOOST_TEST(text_of(bits) == "bitshuffle(lz4) (32008, not available)");
  BOOST_TEST(how_to_get(bits).starts_with("'pip install hdf5plugin' brings its plug-in"));
}

struct Stored {
  Filter filter;
  std::vector<std::byte> bytes;
  std::size_t plain;
};

/// The first chunk of every dataset with a single filter that has a codec.
static std::map<std::string, Stored> first_chunks() {
  const auto file = open_file(fixture("filters.h5"));
  std::map<std::string, Stored> found;
  for (const auto& [path, dataset] : contents("filters.h5")) {
    if (dataset.filters.size() != 1) continue;
    const Reader reader(file, path);
    const std::vector<std::uint64_t> origin(dataset.dims.size());
    Stored stored{dataset.filters[0], std::vector<std::byte>(reader.chunk_bytes(origin)), 16 * dataset.row_bytes()};
    BOOST_TEST((reader.read_chunk(origin, stored.bytes.data()) == 0u));
    found.emplace(path, std::move(stored));
  }
  return found;
}

BOOST_AUTO_TEST_CASE(every_codec_gives_the_numbers_back) {
  const std::vector<std::string> order{"lz4",         "lz4_blocks", "zstd",        "bzip2",          "bits",
                                       "bits_lz4",    "bits_zstd",  "bits_blocks", "blosc_blosclz",  "blosc_lz4",
                                       "blosc_lz4hc", "blosc_zlib", "blosc_zstd",  "blosc2_blosclz", "blosc2_lz4",
                                       "blosc2_zstd", "szip",       "szip_ec"};
  const auto chunks = first_chunks();
  BOOST_TEST(chunks.size() == order.size());
  for (std::size_t k = 0; k < order.size(); ++k) {
    const auto& [filter, bytes, plain] = chunks.at(order[k]);
    const auto* codec = codec_of(filter.id);
    BOOST_TEST_REQUIRE(codec != nullptr, order[k]);
    std::vector<float> numbers(plain / sizeof(float));
    BOOST_TEST(codec->undo(filter.values, bytes, std::as_writable_bytes(std::span(numbers))) == plain, order[k]);
    if (const auto told = codec->length(filter.values, bytes)) BOOST_TEST(told == plain);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i)
      wrong += numbers[i] != static_cast<float>(formula(300 + k, i / 120, i % 120));
    BOOST_TEST(wrong == 0u, order[k]);
  }
}

// Whatever is in a file: an error, or other numbers, but never beyond the room and never for ever.
BOOST_AUTO_TEST_CASE(damaged_chunks_stay_within_their_room) {
  std::minstd_rand random(2);
  for (const auto& [path, stored] : first_chunks()) {
    const auto* found = codec_of(stored.filter.id);
    BOOST_TEST_REQUIRE(found != nullptr, path);
    const auto& codec = *found;
    std::size_t refused = 0;
    for (int turn = 0; turn < 300; ++turn) {
      auto bytes = stored.bytes;
      if (turn % 3 == 0) bytes.resize(random() % bytes.size());
      for (unsigned flips = turn % 3 == 0 ? 0 : 1 + random() % 3; flips > 0; --flips)
        bytes[turn % 2 ? random() % std::min<std::size_t>(bytes.size(), 40) : random() % bytes.size()] ^=
            static_cast<std::byte>(1u << random() % 8);
      const auto room = turn % 5 == 0 ? stored.plain / 2 : stored.plain;
      std::vector<std::byte> to(room + 64, std::byte{0x5a});
      try {
        BOOST_TEST(codec.undo(stored.filter.values, bytes, std::span(to).first(room)) <= room, path);
      } catch (const Error&) {
        ++refused;
      }
      BOOST_TEST(std::all_of(to.begin() + static_cast<std::ptrdiff_t>(room), to.end(),
                             [](std::byte b) { return b == std::byte{0x5a}; }),
                 path);
    }
    BOOST_TEST(refused > 30u, path);
  }
}

BOOST_AUTO_TEST_CASE(folders_of_hdf5plugin) {
  const auto root = fixture("python");  // made by make_fixtures.py
  const auto expect = [&](const std::string& variable, const std::string& value, const std::string& folder) {
    const std::string before = std::getenv(variable.c_str()) ? std::getenv(variable.c_str()) : "";
    ::setenv(variable.c_str(), value.c_str(), 1);
    const auto found = python_plugin_folders();
    BOOST_TEST((std::ranges::find(found, folder + "/hdf5plugin/plugins") != found.end()), variable);
    before.empty() ? ::unsetenv(variable.c_str()) : ::setenv(variable.c_str(), before.c_str(), 1);
  };
  expect("VIRTUAL_ENV", root + "/venv", root + "/venv/lib/python3.11/site-packages");
  expect("CONDA_PREFIX", root + "/venv", root + "/venv/lib/python3.11/site-packages");
  expect("PYTHONPATH", "/nowhere:" + root + "/venv/lib/python3.11/site-packages",
         root + "/venv/lib/python3.11/site-packages");
  expect("PATH", "/nowhere:" + root + "/venv/bin", root + "/venv/lib/python3.11/site-packages");
  expect("HOME", root, root + "/.local/lib/python3.12/site-packages");
}

BOOST_AUTO_TEST_SUITE_END()
