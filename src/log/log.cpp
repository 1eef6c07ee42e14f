#include "log/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>

namespace headrace::log {

void setup(const std::string& prefix, bool quiet, bool verbose) {
  auto logger = std::make_shared<spdlog::logger>("headrace", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  // Plain lines for people: a level is named only where it matters.
  logger->set_pattern(prefix + ": %v");
  logger->set_level(verbose ? spdlog::level::debug : quiet ? spdlog::level::warn : spdlog::level::info);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace headrace::log
