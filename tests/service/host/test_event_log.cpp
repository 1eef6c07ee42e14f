#include "service/host/event_log.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ipc/child.hpp"

using namespace headrace::service::host;

namespace {

struct File {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("headrace-events." + std::to_string(getpid()) + ".jsonl");
  ~File() { std::filesystem::remove(path); }
  std::vector<std::string> lines() const {
    std::ifstream in(path);
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }
};

void limit_size(rlim_t bytes) {
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes;
  setrlimit(RLIMIT_FSIZE, &limit);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(event_log)

BOOST_AUTO_TEST_CASE(each_event_is_a_line_of_json) {
  const File file;
  EventLog log(file.path.string(), "lcd");
  log.tell("came", {{"who", "process 1 on n\n01 \xff"}});
  log.tell("end", {{"reason", "all done"}});
  log.tell("came", {{"who", "too late"}});
  const auto lines = file.lines();
  BOOST_REQUIRE(lines.size() == 2u);
  const auto first = nlohmann::json::parse(lines[0]);
  BOOST_TEST(first.at("event") == "came");
  BOOST_TEST(first.at("service") == "lcd");
  BOOST_TEST(nlohmann::json::parse(lines[1]).at("reason") == "all done");
}

BOOST_AUTO_TEST_CASE(a_line_that_found_no_room_does_not_spoil_the_next) {
  const File file;
  Child service([&] {
    signal(SIGXFSZ, SIG_IGN);
    EventLog log(file.path.string(), "lcd");
    log.tell("one", {{"text", std::string(100, 'x')}});
    limit_size(std::filesystem::file_size(file.path) + 50);
    log.tell("two", {{"text", std::string(100, 'y')}});
    log.tell("three", {{"text", "nothing of it"}});
    limit_size(1 << 20);
    log.tell("four", {{"text", "whole"}});
    log.tell("five", {{"text", "whole"}});
    return 0;
  });
  BOOST_TEST(service.wait() == 0);
  const auto lines = file.lines();
  BOOST_REQUIRE(lines.size() == 4u);
  BOOST_TEST(nlohmann::json::parse(lines[0]).at("event") == "one");
  BOOST_TEST(nlohmann::json::parse(lines[1], nullptr, false).is_discarded());
  BOOST_TEST(nlohmann::json::parse(lines[2]).at("event") == "four");
  BOOST_TEST(nlohmann::json::parse(lines[3]).at("event") == "five");
}

BOOST_AUTO_TEST_SUITE_END()
