#include <boost/test/unit_test.hpp>
#include <set>

#include "config/keys.hpp"
#include "job/same_config.hpp"

using namespace headrace::config;
using namespace headrace::job;

BOOST_AUTO_TEST_SUITE(same_config)

namespace {

Config a_config() {
  Config config;
  config.fields = {{.name = "x", .source = {"x"}}};
  config.streams = {{.name = "train"}};
  config.classes = {{.name = "b"}};
  return config;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_key_is_common_or_known_not_to_be) {
  const std::set<std::string> own{"threads",
                                  "memory",
                                  "socket",
                                  "ranks",
                                  "linger",
                                  "stay",
                                  "start-timeout",
                                  "node-timeout",
                                  "stall-timeout",
                                  "log",
                                  "metrics",
                                  "quiet",
                                  "verbose",
                                  "inventory.readers",
                                  "inventory.workers",
                                  "inventory.python",
                                  "inventory.decoder-timeout",
                                  "fetch.connections",
                                  "fetch.retries",
                                  "fetch.timeout"};
  std::set<std::string> wanted, found;
  for (const auto& [key, value] : common_keys(OutputConfig{a_config(), {}})) found.insert(key);
  for (const auto& key : keys()) {
    const std::string name(key.name);
    if (key.scope == Scope::field)
      wanted.insert("field.x." + name);
    else if (key.scope == Scope::of_class)
      wanted.insert("class.b." + name);
    else if (key.scope == Scope::top || key.scope == Scope::output) {
      if (!own.contains(name)) wanted.insert(name);
    } else
      wanted.insert("stream.train." + name);
  }
  BOOST_TEST(wanted == found, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(values_that_differ_read_differently) {
  const auto before = common_keys(a_config());
  const auto differs = [&](auto change) {
    auto config = a_config();
    change(config);
    return common_keys(config) != before;
  };
  BOOST_TEST(differs([](Config& c) { c.seed = 5; }));
  BOOST_TEST(differs([](Config& c) { c.split = {{"a", 0.5}}; }));
  BOOST_TEST(differs([](Config& c) { c.io = IoMode::direct; }));
  BOOST_TEST(differs([](Config& c) { c.virtual_gaps = VirtualGaps::fill; }));
  BOOST_TEST(differs([](Config& c) { c.fields[0].scale = {0.1}; }));
  BOOST_TEST(differs([](Config& c) { c.fields[0].missing = 0; }));
  BOOST_TEST(differs([](Config& c) { c.fields[0].fill = -1; }));
  BOOST_TEST(differs([](Config& c) { c.fields[0].overflow = Overflow::truncate_saturate; }));
  BOOST_TEST(differs([](Config& c) { c.fields[0].shape = {{2, 3}}; }));
  BOOST_TEST(differs([](Config& c) { c.fields[0].nonfinite = {NonfinitePolicy::Kind::value, 1e-300}; }));
  BOOST_TEST(differs([](Config& c) { c.streams[0].batch = 33; }));
  BOOST_TEST(differs([](Config& c) { c.streams[0].last = headrace::plan::Last::pad; }));
  BOOST_TEST(differs([](Config& c) { c.inventory.path = "{id}.npy"; }));
  BOOST_TEST(differs([](Config& c) { c.resample.bins = {{"x = 0:1:2", "x", false, {0, 0.5, 1}}}; }));
  BOOST_TEST(differs([](Config& c) { c.resample.samples = {0.1, 0}; }));
  BOOST_TEST(differs([](Config& c) { c.streams[0].resample = false; }));
  BOOST_TEST(differs([](Config& c) { c.fetch.headers = {"A: b"}; }));
  BOOST_TEST(differs([](Config& c) { c.classes[0].where = "x > 1"; }));
  BOOST_TEST(differs([](Config& c) { c.streams[0].mix.kind = MixConfig::Kind::balanced; }));
  BOOST_TEST(differs([](Config& c) { c.streams[0].mix.epoch_size = {EpochSize::Kind::samples, 7}; }));
  BOOST_TEST(differs([](Config& c) { c.streams[0].mix.within = headrace::plan::Mix::Within::epoch; }));
  BOOST_TEST(!differs([](Config& c) { c.memory = 5; }));
}

BOOST_AUTO_TEST_CASE(what_is_written_counts_where_something_is) {
  const auto before = common_keys(OutputConfig{a_config(), {}});
  const auto differs = [&](auto change) {
    OutputConfig config{a_config(), {}};
    change(config);
    return common_keys(config) != before;
  };
  BOOST_TEST(differs([](OutputConfig& c) { c.seed = 5; }));
  BOOST_TEST(differs([](OutputConfig& c) { c.premix.datasets = {{"a", "b"}}; }));
  BOOST_TEST(differs([](OutputConfig& c) { c.premix.compression.level = 3; }));
  BOOST_TEST(differs([](OutputConfig& c) { c.exported.add_vars = 2; }));
}

BOOST_AUTO_TEST_CASE(headers_are_not_told) {
  auto config = a_config();
  config.fetch.headers = {"Authorization: Bearer secret"};
  for (const auto& [key, value] : common_keys(config)) BOOST_TEST(value.find("secret") == std::string::npos, key);
}

BOOST_AUTO_TEST_SUITE_END()
