#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.hpp"
#include "commands/forecast/command.hpp"
#include "commands/forecast/forecast.hpp"
#include "commands/forecast/report.hpp"

namespace {

using namespace headrace;
using namespace headrace::commands::forecast;
using namespace headrace::config;
using namespace headrace::job;
using namespace headrace::service::blueprint;

Config configured(std::uint32_t batch, unsigned trainers_per_node = 1) {
  Config config;
  config.streams.resize(1);
  config.streams[0].batch = batch;
  config.trainers_per_node = trainers_per_node;
  return config;
}

Forecast made_up(const Config& config, std::uint64_t samples, std::uint64_t row, plan::Machine machine,
                 const Rates& rates = {}) {
  machine.trainers_per_node = config.trainers_per_node;
  return forecast(config, facts_made_up(config, samples, row), machine, rates);
}

double rate_of(const std::string& text) {
  return rate({{text}, "--nic " + text});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(forecasts)

BOOST_AUTO_TEST_CASE(one_node_keeps_everything_to_itself) {
  const auto one = made_up(configured(100), 10'000, 1000, {1, 2, 1}, {.nic = 1e9, .memory = 5e9});
  BOOST_TEST(one.need.store >= 10'000'000u);
  BOOST_TEST(one.need.store < 10'100'000u);
  BOOST_TEST(one.streams[0].remote() == 0);
  BOOST_TEST(one.streams[0].delivered() == 100'000);
  BOOST_TEST(one.streams[0].bottleneck()->name == "memory");
  BOOST_TEST(one.streams[0].bottleneck()->rate == 5e9);
  BOOST_TEST(*one.first_s == 100'000 / 5e9, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(the_network_limits_what_is_remote) {
  const auto four = made_up(configured(256, 2), 1'000'000, 4096, {4, 2, 2}, {.nic = 3e9, .memory = 50e9});
  const auto& stream = four.streams[0];
  BOOST_TEST(stream.remote_share() == 0.75, boost::test_tools::tolerance(0.05));
  BOOST_TEST(stream.bottleneck()->name == "NIC");
  BOOST_TEST(stream.bottleneck()->rate * stream.remote_share() * stream.balance_nodes() == 3e9,
             boost::test_tools::tolerance(1e-9));
  BOOST_TEST(stream.requests() == 6.0);  // two trainers ask three other nodes each
}

BOOST_AUTO_TEST_CASE(a_part_that_was_counted_is_spread_evenly_all_the_same) {
  auto config = configured(10);
  config.split = {{"train", 0.8}, {"val", 0.2}};
  config.streams.push_back(config.streams[0]);
  config.streams[0].select = "train";
  config.streams[1].select = "val";
  config.streams[1].name = "val";
  auto facts = facts_made_up(config, 1000, 8);
  facts.report.streams[0].samples = 803;
  facts.report.streams[1].samples = 197;
  const auto counted = forecast(config, facts, {2, 1, 1}, {});
  BOOST_TEST(counted.streams[0].samples == 803u);
  BOOST_TEST(counted.streams[1].samples == 197u);
  BOOST_TEST(counted.streams[1].note == "the split decides which; taken as spread evenly");
}

BOOST_AUTO_TEST_CASE(more_stagers_or_trainers_than_can_be_counted_are_a_mistake) {
  auto config = configured(10);
  PlanOptions options{.nodes = 1 << 20, .stagers_per_node = 1 << 12, .samples = 100, .row_bytes = 8};
  std::ostringstream out;
  const auto says = [](const std::string& part) {
    return [=](const auto& error) { return std::string(error.what()).find(part) != std::string::npos; };
  };
  BOOST_CHECK_EXCEPTION(commands::forecast::plan(config, options, out), UsageError,
                        says("--nodes times --stagers-per-node"));
  options.stagers_per_node = 1;
  config.trainers_per_node = 1 << 12;
  BOOST_CHECK_EXCEPTION(commands::forecast::plan(config, options, out), UsageError,
                        says("--nodes times --trainers-per-node"));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_says_how_many_nodes_would_do) {
  auto large = configured(32);
  large.memory = std::uint64_t{64} << 30;
  const auto few = made_up(large, 100'000'000, 10'000, {4, 1, 1});
  BOOST_TEST(!few.resident);
  BOOST_REQUIRE(few.enough.has_value());
  BOOST_TEST(made_up(large, 100'000'000, 10'000, {*few.enough + 1, 1, 1}).resident);
  BOOST_TEST(!made_up(large, 100'000'000, 10'000, {*few.enough - 1, 1, 1}).resident);
  large.memory = 1 << 20;
  BOOST_TEST(!made_up(large, 1000, 1000, {4, 1, 1}).enough.has_value());
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_limited_by_reading_too) {
  auto small = configured(32);
  small.memory = std::uint64_t{64} << 20;
  const auto limit_of = [&](const Rates& rates, const std::string& name) {
    const auto four = made_up(small, 1'000'000, 1000, {4, 1, 1}, rates);
    BOOST_TEST(!four.resident);
    BOOST_TEST(four.streams[0].bottleneck()->name == name);
    return four.streams[0].bottleneck()->rate;
  };
  BOOST_TEST(limit_of({.disk = 1e8, .disk_total = 2e9, .memory = 5e9}, "disk") == 1e8);
  BOOST_TEST(limit_of({.disk = 1e9, .disk_total = 2e9, .memory = 5e9}, "file system") == 5e8);
}

BOOST_AUTO_TEST_CASE(a_stream_that_stays_in_memory_beside_windows_waits_for_no_disk) {
  auto two = configured(32);
  two.memory = std::uint64_t{256} << 20;
  two.window.kind = WindowConfig::Kind::automatic;
  two.block = 1 << 20;
  two.streams.push_back(two.streams[0]);
  two.streams[0].select = ":3990000";
  two.streams[1].name = "val";
  two.streams[1].select = "3990000:";
  const auto both = made_up(two, 4'000'000, 1000, {4, 1, 1}, {.disk = 1e8, .disk_total = 2e9, .memory = 5e9});
  BOOST_TEST(both.by_windows);
  BOOST_TEST(both.streams[0].bottleneck()->name == "disk");
  BOOST_TEST(both.streams[1].bottleneck()->name == "memory");
  BOOST_TEST(both.streams[1].limits.size() == 1u);
}

BOOST_AUTO_TEST_CASE(memory_is_that_of_the_fullest_node) {
  const auto of_chunks = configured(10);
  auto facts = facts_made_up(of_chunks, 1000, 1'000'000);
  facts.chunk_rows = 400;
  for (const std::uint32_t nodes : {2, 3}) {  // 400 and 600, or 400, 400 and 200, in whatever order
    const auto uneven = forecast(of_chunks, facts, {nodes, 1, 1}, {});
    BOOST_TEST(uneven.need.store >= (nodes == 2 ? 600'000'000u : 400'000'000u));
  }
}

BOOST_AUTO_TEST_CASE(a_stream_that_lies_on_some_nodes_only_is_told_as_unbalanced) {
  auto two = configured(64);
  two.streams.push_back(two.streams[0]);
  two.streams[0].select = ":800000";
  two.streams[1] = two.streams[0];
  two.streams[1].name = "val";
  two.streams[1].select = "800000:";
  const auto both = made_up(two, 1'000'000, 100, {10, 1, 1});
  BOOST_TEST(both.stored == 1'000'000u);
  BOOST_TEST(both.streams[0].balance_nodes() == 1.25, boost::test_tools::tolerance(0.15));
  BOOST_TEST(both.streams[1].balance_nodes() == 5.0, boost::test_tools::tolerance(0.2));
}

BOOST_AUTO_TEST_CASE(reading_takes_as_long_as_the_slower_of_disk_and_file_system) {
  const auto by_disk = made_up(configured(32), 1'000'000, 1000, {10, 1, 1}, {.disk = 1e7, .disk_total = 1e9});
  BOOST_TEST(*by_disk.load_s == 10.0);
  BOOST_TEST(by_disk.load_by == "disk");
  const auto by_all = made_up(configured(32), 1'000'000, 1000, {10, 1, 1}, {.disk = 1e9, .disk_total = 1e8});
  BOOST_TEST(*by_all.load_s == 10.0);
  BOOST_TEST(by_all.load_by == "file system");
  BOOST_TEST(!made_up(configured(32), 1000, 10, {1, 1, 1}).load_s);
}

BOOST_AUTO_TEST_CASE(thousands_of_nodes_are_balanced) {
  const auto many = made_up(configured(64, 4), 50'000'000, 1000, {4096, 1, 4});
  const double mean = static_cast<double>(many.streams[0].flow.rows) / 4096;
  BOOST_TEST(many.streams[0].balance_nodes() <= 1 + 5 / std::sqrt(mean));
  BOOST_TEST(json_of(many).at("streams").at(0).at("balance").at("steps") == 16);
}

BOOST_AUTO_TEST_CASE(too_few_samples_for_so_many_trainers) {
  BOOST_CHECK_EXCEPTION(made_up(configured(64), 1000, 10, {100, 1, 1}), Error, [](const auto& e) {
    return std::string(e.what()).find("choose a smaller batch") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(rates_in_bytes_and_bits) {
  BOOST_TEST(rate_of("25GB/s") == 25e9);
  BOOST_TEST(rate_of("200Gbit/s") == 25e9);
  BOOST_TEST(rate_of("1MiB") == 1048576.0);
  for (const auto* text : {"", "fast", "-1GB/s", "0", "GB/s", "1 furlong/s"})
    BOOST_CHECK_THROW(rate_of(text), UsageError);
}

BOOST_AUTO_TEST_SUITE_END()
