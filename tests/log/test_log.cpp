#include "log/log.hpp"

#include <spdlog/sinks/ostream_sink.h>

#include <boost/test/unit_test.hpp>
#include <memory>
#include <sstream>
#include <string>

#include "log/logger.hpp"

using namespace headrace;

namespace {

/// Formatting it is counted.
struct Counted {
  int& times;
};

}  // namespace

template <>
struct fmt::formatter<Counted> : fmt::formatter<int> {
  auto format(const Counted& value, fmt::format_context& context) const {
    return fmt::formatter<int>::format(++value.times, context);
  }
};

BOOST_AUTO_TEST_SUITE(logging)

BOOST_AUTO_TEST_CASE(a_message_is_one_line_whatever_names_it_holds) {
  std::ostringstream out;
  const auto logger = log::make_logger("headrace lcd", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  logger->info("trainer 0 ({}) is gone", "process 1 on n\nheadrace lcd: train epoch 9: every sample exactly once");
  logger->warn("\x1b[31mred\x1b]0;owned\x07");
  logger->info("100 % of {}", "π");
  BOOST_TEST(
      out.str() ==
      "headrace lcd: trainer 0 (process 1 on n\\nheadrace lcd: train epoch 9: every sample exactly once) is gone\n"
      "headrace lcd: \\x1b[31mred\\x1b]0;owned\\x07\n"
      "headrace lcd: 100 % of π\n");
}

BOOST_AUTO_TEST_CASE(nor_does_the_name_of_the_service_do_anything) {
  std::ostringstream out;
  log::make_logger("headrace %v\n%l", std::make_shared<spdlog::sinks::ostream_sink_mt>(out))->info("here");
  BOOST_TEST(out.str() == "headrace %v\\n%l: here\n");
}

BOOST_AUTO_TEST_CASE(the_level_decides_what_is_said_and_what_is_formatted_at_all) {
  const auto before = spdlog::default_logger();
  std::ostringstream out;
  auto logger = log::make_logger("headrace", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
  logger->set_level(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  int times = 0;
  log::debug("a {}", Counted{times});
  log::info("b {}", Counted{times});
  log::warn("c {}", Counted{times});
  log::error("d {}", Counted{times});
  log::say("e {} %v", Counted{times});
  spdlog::set_default_logger(before);
  BOOST_TEST(out.str() == "headrace: c 1\nheadrace: d 2\nheadrace: e 3 %v\n");
  BOOST_TEST(times == 3);
}

BOOST_AUTO_TEST_SUITE_END()
