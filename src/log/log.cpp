#include "log/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <unistd.h>

#include "base/printable.hpp"
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

}  // namespace headrace::log
