#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <functional>

#include "inventory/source.hpp"
#include "service/blueprint/fingerprint.hpp"

using namespace headrace;
using namespace headrace::config;
using namespace headrace::service::blueprint;

namespace {

catalog::Catalog a_catalog() {
  catalog::Catalog catalog;
  catalog.files = {{.path = "/scratch/a.h5", .bytes = 100, .mtime_ns = 1, .first_sample = 0, .samples = 6},
                   {.path = "/scratch/b.h5", .bytes = 100, .mtime_ns = 2, .first_sample = 6, .samples = 4}};
  catalog.datasets.resize(1);
  catalog.datasets[0].path = "x";
  catalog.datasets[0].row_shape = {3, 2};
  catalog.samples = 10;
  return catalog;
}

Config a_config() {
  Config config;
  config.fields = {{.name = "x", .source = {"x"}, .scale = {2}}, {.name = "y", .source = {"y"}}};
  config.streams = {{.name = "train", .select = ":8"}, {.name = "val", .select = "8:"}};
  return config;
}

/// The parts that change.
std::string changed(const std::function<void(Config&, catalog::Catalog&)>& change) {
  auto config = a_config();
  auto catalog = a_catalog();
  const auto before = fingerprint_of(config, config.streams[0], catalog);
  change(config, catalog);
  std::string parts;
  for (const auto& [part, text] : fingerprint_of(config, config.streams[0], catalog))
    if (before.at(part) != text) parts += (parts.empty() ? "" : " ") + part;
  return parts;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fingerprint)

BOOST_AUTO_TEST_CASE(what_decides_order_and_content_is_told_part_by_part) {
  using C = Config;
  using F = catalog::Catalog;
  const auto resample = [](C& c) { c.resample.bins = {{"x = 0:1:2", "x", false, {0, 0.5, 1}}}; };
  BOOST_TEST(changed([&](C& c, F&) { resample(c); }) == "stream");
  BOOST_TEST(changed([&](C& c, F&) {
               resample(c);
               c.streams[0].resample = false;
             }) == "");
  BOOST_TEST(changed([](C& c, F&) { c.streams[0].select_repeats = true; }) == "stream");
  BOOST_TEST(changed([](C&, F& f) { f.files[1].bytes = 101; }) == "files");
  BOOST_TEST(changed([](C&, F& f) { f.files[1].head = 5; }) == "files");
  BOOST_TEST(changed([](C&, F& f) { f.files[0].path = "/scratch/c.h5"; }) == "files");
  BOOST_TEST(changed([](C&, F& f) { f.files[0].samples = 5; }) == "files");
  BOOST_TEST(changed([](C&, F& f) { std::swap(f.files[0], f.files[1]); }) == "files");
  BOOST_TEST(changed([](C&, F& f) { f.files.pop_back(); }) == "files");
  BOOST_TEST(changed([](C&, F& f) { f.datasets[0].row_shape = {2, 3}; }) == "files");
  BOOST_TEST(changed([](C&, F& f) { f.datasets[0].type.size = 8; }) == "files");
  BOOST_TEST(changed([](C& c, F&) { c.fields[0].scale = {3}; }) == "fields");
  BOOST_TEST(changed([](C& c, F&) { c.fields[0].shift = {0}; }) == "fields");
  BOOST_TEST(changed([](C& c, F&) { c.fields[0].dtype = DType::float16; }) == "fields");
  BOOST_TEST(changed([](C& c, F&) { c.fields[0].overflow = Overflow::truncate; }) == "fields");
  BOOST_TEST(changed([](C& c, F&) { c.fields[0].fill = 0; }) == "fields");  // named, though it changes no value
  BOOST_TEST(changed([](C& c, F&) { c.fields[0].fill = -1; }) == "fields");
  BOOST_TEST(changed([](C& c, F&) { c.fields[0].source = {"x", "y"}; }) == "fields");
  BOOST_TEST(changed([](C& c, F&) { c.fields[1].classes = {"a:1"}; }) == "fields");
  BOOST_TEST(changed([](C& c, F&) { std::swap(c.fields[0], c.fields[1]); }) == "fields");
  BOOST_TEST(changed([](C& c, F&) { c.streams[0].select = ":7"; }) == "stream");
  BOOST_TEST(changed([](C& c, F&) { c.streams[0].where = "x > 1"; }) == "stream");
  BOOST_TEST(changed([](C& c, F&) { c.where = "x > 1"; }) == "stream");
  BOOST_TEST(changed([](C& c, F&) { c.split = {{"train", 0.5}}; }) == "stream");
  BOOST_TEST(changed([](C& c, F&) { c.streams[0].shuffle = plan::Shuffle::none; }) == "stream");
  BOOST_TEST(changed([](C& c, F&) { c.streams[0].last = plan::Last::pad; }) == "stream");
  BOOST_TEST(changed([](C& c, F&) { c.classes = {{.name = "b", .where = "x > 1"}}; }) == "stream");
  BOOST_TEST(changed([](C& c, F&) { c.streams[0].mix.kind = config::MixConfig::Kind::balanced; }) == "stream");
  BOOST_TEST(changed([](C& c, F&) { c.seed = 1; }) == "seed");
}

BOOST_AUTO_TEST_CASE(a_virtual_file_counts_as_it_was_named_whatever_is_read_in_its_place) {
  auto config = a_config();
  const auto before = fingerprint_of(config, config.streams[0], a_catalog());
  auto catalog = a_catalog();
  catalog.named = std::move(catalog.files);
  catalog.files = {{.path = "plain/p0.h5", .bytes = 7, .head = 3, .first_sample = 0, .samples = 3, .named = 0},
                   {.path = "plain/p1.h5", .bytes = 8, .head = 4, .first_sample = 3, .samples = 3, .named = 0},
                   {.path = "/scratch/b.h5", .bytes = 100, .first_sample = 6, .samples = 4, .named = 1}};
  BOOST_TEST((fingerprint_of(config, config.streams[0], catalog) == before));
  catalog.named[0].head = 9;
  BOOST_TEST((fingerprint_of(config, config.streams[0], catalog) != before));
  config.virtual_gaps = VirtualGaps::fill;  // the same where no row is missing
  catalog.named[0].head = 0;
  BOOST_TEST((fingerprint_of(config, config.streams[0], catalog) == before));
}

BOOST_AUTO_TEST_CASE(which_samples_an_inventory_does_without_counts) {
  const auto without = [](const std::string& which) {
    auto catalog = a_catalog();
    inventory::Table table("id\n7\n", "t.csv", "id");
    const inventory::PathTemplate path("{id}.npy", table);
    inventory::Inventory all{{}, std::move(table), path, {}, {}, {}};
    if (!which.empty()) all.left_out.push_back({which, "/scratch/" + which + ".npy", "it is not there"});
    catalog.files[0].rows =
        std::make_shared<inventory::Source>(std::make_shared<const inventory::Inventory>(std::move(all)));
    const auto config = a_config();
    return fingerprint_of(config, config.streams[0], catalog);
  };
  const auto config = a_config();
  BOOST_TEST((without("") == fingerprint_of(config, config.streams[0], a_catalog())));
  BOOST_TEST(without("2").at("files") != without("").at("files"));
  BOOST_TEST(without("2").at("files") != without("3").at("files"));
  BOOST_TEST(without("2").at("stream") == without("3").at("stream"));
}

BOOST_AUTO_TEST_CASE(weights_of_samples_that_streams_share_count_in_both) {
  const auto of = [](const std::string& select, std::vector<double> edges, bool delivered = true) {
    auto config = a_config();
    if (delivered) config.fields.push_back({.name = "w", .source = {"@weight"}});
    config.resample.as = ResampleAs::weights;
    if (!edges.empty()) config.resample.bins = {{"x", "x", false, std::move(edges)}};
    config.streams[0].resample = false;
    config.streams[0].select = select;
    return fingerprint_of(config, config.streams[0], a_catalog()).at("stream");
  };
  BOOST_TEST(of("2:9", {0, 1, 2}) != of("2:9", {0, 1, 3}));  // sample 8 is the other's, too
  BOOST_TEST(of(":8", {0, 1, 2}) == of(":8", {}));
  BOOST_TEST(of("2:9", {0, 1, 2}, false) == of("2:9", {}, false));
}

BOOST_AUTO_TEST_CASE(folders_of_patterns_count_where_they_tell_files_apart) {
  using Patterns = std::vector<std::string>;
  const auto of = [](const Patterns& patterns, const std::string& root, bool of_class) {
    auto catalog = a_catalog();
    catalog.files[0].path = root + "a/0.h5";
    catalog.files[1].path = root + "b/0.h5";
    auto config = a_config();
    if (of_class)
      config.classes = {{.name = "one", .files = patterns, .where = {}}};
    else
      config.streams[0].files = patterns;
    return fingerprint_of(config, config.streams[0], catalog).at("stream");
  };
  for (const bool of_class : {false, true}) {
    const auto first = of({"/d/a/*.h5"}, "/d/", of_class);
    BOOST_TEST(of({"/d/b/*.h5"}, "/d/", of_class) != first);
    BOOST_TEST(of({"/e/f/a/*.h5"}, "/e/f/", of_class) == first);  // they moved
    const auto all = of({"*.h5"}, "/d/", of_class);
    BOOST_TEST(all != first);
    BOOST_TEST(of({"/d/?/*.h5"}, "/d/", of_class) == all);  // as it always was: the folder leaves nothing out
  }
}

BOOST_AUTO_TEST_CASE(what_does_not_is_no_part_of_it) {
  BOOST_TEST(changed([](Config& config, catalog::Catalog& catalog) {
               catalog.files[0].path = "/elsewhere/a.h5";
               catalog.files[0].mtime_ns = 77;
               config.name = "other";
               config.threads = 7;
               config.slots = 9;
               config.trainers_per_node = 3;
               config.streams[0].batch.reset();
               config.streams[0].global_batch = 64;
               config.streams[0].epochs = 5;
               config.streams[1].select = "9:";  // another stream's
             }) == "");
}

BOOST_AUTO_TEST_CASE(what_stands_in_a_scale_file_counts_and_where_it_is_does_not) {
  const auto write = [](const std::string& path, const std::string& text) { std::ofstream(path) << text; };
  const auto with = [](const std::string& path) {
    auto config = a_config();
    config.fields[0].scale_file = path;
    return fingerprint_of(config, config.streams[0], a_catalog()).at("fields");
  };
  const auto stem = std::filesystem::temp_directory_path() / ("headrace-scales-" + std::to_string(getpid()));
  const auto one = stem.string() + "a.json", other = stem.string() + "b.json";
  write(one, "{\"x\": {\"scale\": 2}}");
  write(other, "{\"x\": {\"scale\": 2}}");
  const auto before = with(one);
  BOOST_TEST(with(other) == before);
  write(one, "{\"x\": {\"scale\": 3}}");
  BOOST_TEST(with(one) != before);
  std::filesystem::remove(one);
  std::filesystem::remove(other);
}

BOOST_AUTO_TEST_SUITE_END()
