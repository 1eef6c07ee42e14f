#include "log/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <unistd.h>

#include <iterator>
#include <memory>
#include <utility>

#include "base/printable.hpp"
#include "log/logger.hpp"
#include "log/patient_sink.hpp"

namespace headrace::log {

namespace {

/// The message, on one line whatever it holds.
class Printable : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& line) override {
    const auto text = printable({message.payload.data(), message.payload.size()});
    line.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return spdlog::details::make_unique<Printable>(); }
};

/// Of a pattern, as it stands.
std::string literal(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '%' ? std::string("%%") : std::string(1, c);
  return out;
}

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::asked_for:
      break;
  }
  return spdlog::level::critical;
}

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(const std::string& prefix, spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("headrace", std::move(sink));
  // Plain lines for people: a level is named only where it matters.
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<Printable>('*').set_pattern(literal(printable(prefix)) + ": %*");
  logger->set_formatter(std::move(formatter));
  logger->flush_on(spdlog::level::info);
  return logger;
}

void setup(const std::string& prefix, bool quiet, bool verbose) {
  auto logger = make_logger(prefix, std::make_shared<PatientSink>(STDERR_FILENO));
  logger->set_level(verbose ? spdlog::level::debug : quiet ? spdlog::level::warn : spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void put(Level level, fmt::string_view format, fmt::format_args args) {
  auto* const logger = spdlog::default_logger_raw();
  if (logger == nullptr || !logger->should_log(level_of(level))) return;
  fmt::memory_buffer text;
  fmt::vformat_to(std::back_inserter(text), format, args);
  logger->log(level_of(level), spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace headrace::log
