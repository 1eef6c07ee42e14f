#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "service/delivery/pace.hpp"
#include "service/host/metrics_file.hpp"

namespace {

using namespace headrace::config;
using namespace headrace::job;
using namespace headrace::service::delivery;
using namespace headrace::service::host;

nlohmann::json trainer(const char* stream, unsigned rank) {
  return {{"stream", stream}, {"rank", rank},          {"epoch", 2},
          {"step", 30},       {"batches", 40},         {"bytes", 4096},
          {"ready", 3},       {"trainer_wait_s", 0.5}, {"stager_wait_s", 1.25}};
}

nlohmann::json view(std::vector<nlohmann::json> trainers) {
  return {{"stagers", 2},
          {"memory", {{"store_bytes", 100}, {"rings_bytes", 20}, {"retired_bytes", 5}, {"private_bytes", 3}}},
          {"trainers", std::move(trainers)}};
}

bool has_line(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(metrics_file)

BOOST_AUTO_TEST_CASE(every_sample_stands_below_its_own_head_and_only_once) {
  const auto text = metrics_text("lcd", {view({trainer("train", 0)}), view({trainer("va\"l\\\n", 1)})});
  BOOST_TEST(has_line(text, "headrace_memory_bytes{service=\"lcd\",part=\"store\"} 100"));
  BOOST_TEST(has_line(text, "headrace_memory_bytes{service=\"lcd\",part=\"rings\"} 20"));
  BOOST_TEST(has_line(text, "headrace_memory_bytes{service=\"lcd\",part=\"private\"} 3"));
  BOOST_TEST(has_line(text, "headrace_memory_bytes{service=\"lcd\",part=\"retired\"} 5"));
  BOOST_TEST(has_line(text, "headrace_stagers{service=\"lcd\"} 2"));
  BOOST_TEST(has_line(text, "headrace_trainers{service=\"lcd\"} 2"));
  BOOST_TEST(has_line(text, "headrace_bytes_total{service=\"lcd\",stream=\"va\\\"l\\\\\\n\",rank=\"1\"} 4096"));
  BOOST_TEST(has_line(text, "# TYPE headrace_bytes_total counter"));
  BOOST_TEST(has_line(text, "# TYPE headrace_ready_batches gauge"));
  const std::pair<const char*, const char*> figures[] = {{"epoch", "2"},
                                                         {"step", "30"},
                                                         {"batches_total", "40"},
                                                         {"bytes_total", "4096"},
                                                         {"ready_batches", "3"},
                                                         {"trainer_wait_seconds_total", "0.5"},
                                                         {"stager_wait_seconds_total", "1.25"}};
  for (const auto& [name, value] : figures)
    BOOST_TEST(has_line(text, "headrace_" + std::string(name) + "{service=\"lcd\",stream=\"train\",rank=\"0\"} " + value),
               name);
  std::string metric;
  std::set<std::string> heads;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) BOOST_TEST(heads.insert(metric = line.substr(7, line.find(' ', 7) - 7)).second);
    if (!line.starts_with("#")) BOOST_TEST(line.substr(0, line.find('{')) == metric);
  }
}

BOOST_AUTO_TEST_CASE(how_much_of_an_early_start_has_come) {
  const auto text =
      metrics_text("lcd", {view({})}, headrace::service::books::ArrivalFigures{.windows = 8, .opened = 3});
  BOOST_TEST(has_line(text, "# TYPE headrace_arrival_windows gauge"));
  BOOST_TEST(has_line(text, "headrace_arrival_windows{service=\"lcd\"} 8"));
  BOOST_TEST(has_line(text, "# TYPE headrace_arrival_windows_open gauge"));
  BOOST_TEST(has_line(text, "headrace_arrival_windows_open{service=\"lcd\"} 3"));
  BOOST_TEST(metrics_text("lcd", {view({})}).find("arrival") == std::string::npos);  // all was read before
}

BOOST_AUTO_TEST_CASE(without_trainers_the_node_is_there_all_the_same) {
  const auto text = metrics_text("lcd", {view({})});
  BOOST_TEST(has_line(text, "headrace_trainers{service=\"lcd\"} 0"));
  BOOST_TEST(text.find("headrace_epoch") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(each_node_has_a_path_of_its_own) {
  const std::vector<Node> apart{{0, 2, "n1"}, {2, 2, "n2"}}, alike{{0, 1, "n1"}, {1, 1, "n1"}, {2, 1, "n1"}};
  Config config;
  BOOST_TEST(metrics_path(config, apart, 1) == "");
  config.metrics = "/var/lib/%h/%h.prom";
  BOOST_TEST(names_node(config.metrics));
  BOOST_TEST(metrics_path(config, apart, 1) == "/var/lib/n2/n2.prom");
  BOOST_TEST(metrics_path(config, alike, 0) == "/var/lib/n1/n1.prom");
  BOOST_TEST(metrics_path(config, alike, 2) == "/var/lib/n1/n1.2.prom");
}

BOOST_AUTO_TEST_CASE(nodes_that_share_a_folder_do_not_write_one_file) {
  const std::vector<Node> one{{0, 2, "n1"}}, mixed{{0, 1, "n1"}, {1, 1, "n2"}, {2, 1, "n1"}};
  Config config;
  config.metrics = "/shared/head.prom";
  BOOST_TEST(!names_node(config.metrics));
  BOOST_TEST(metrics_path(config, one, 0) == "/shared/head.prom");
  BOOST_TEST(metrics_path(config, mixed, 0) == "/shared/head.n1.prom");
  BOOST_TEST(metrics_path(config, mixed, 1) == "/shared/head.n2.prom");
  BOOST_TEST(metrics_path(config, mixed, 2) == "/shared/head.n1.2.prom");
}

BOOST_AUTO_TEST_CASE(the_file_is_whole_and_gone_at_the_end) {
  const auto folder = std::filesystem::temp_directory_path() / ("headrace-metrics-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const auto path = folder / "headrace.prom";
  {
    MetricsFile file(path);
    const auto now = headrace::Clock::now();
    BOOST_TEST(file.take_turn(now));
    BOOST_TEST(!file.take_turn(now + std::chrono::seconds(1)));
    BOOST_TEST(file.take_turn(now + MetricsFile::write_every));
    file.write("one\n");
    file.write("two\n");
    std::ifstream in(path);
    BOOST_TEST(std::string(std::istreambuf_iterator<char>(in), {}) == "two\n");
    BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
  }
  BOOST_TEST(std::filesystem::is_empty(folder));
  std::filesystem::remove(folder);
  BOOST_CHECK_EXCEPTION(MetricsFile{path}, headrace::Error,
                        [](const auto& e) { return std::string(e.what()).find("metrics = ") != std::string::npos; });
}

BOOST_AUTO_TEST_CASE(pace_is_that_of_the_last_seconds) {
  Pace<2> pace;
  const auto begin = headrace::Clock::now();
  BOOST_TEST(pace.per_second(0) == 0);
  const auto at = [&](int ms) { return begin + std::chrono::milliseconds(ms); };
  pace.look(at(0), {0, 5});
  BOOST_TEST(pace.per_second(0) == 0);
  for (int ms = 250; ms <= 10'000; ms += 250) pace.look(at(ms), {ms * 2.0, 5});
  BOOST_TEST(pace.per_second(0) == 2000, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(pace.per_second(1) == 0);
  for (int ms = 10'250; ms <= 15'000; ms += 250) pace.look(at(ms), {20'000, 5});
  BOOST_TEST(pace.per_second(0) == 0);  // it stands still, whatever it did before
}

BOOST_AUTO_TEST_SUITE_END()
