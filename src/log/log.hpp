// Where the service's words go: stderr, one line each, through spdlog; rank 0 speaks for all unless it is an error.
//
//   1. Each message is one line, whatever names it holds: all is made printable (base/printable.hpp) on the way out.
//   2. Nothing that happens to stderr (a closed pipe, a full disk, a terminal gone or stopped) stops the service.
#pragma once

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>

namespace headrace::log {

/// Sets the line format ("headrace lcd: ...") and the level; a quiet process prints warnings and errors only.
/// Call once, before other threads log.
void setup(const std::string& prefix, bool quiet, bool verbose);

/// The logger that setup() makes, writing elsewhere: for tests.
std::shared_ptr<spdlog::logger> make_logger(const std::string& prefix, spdlog::sink_ptr sink);

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

/// What somebody asked for: said by quiet processes, too.
template <typename... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  spdlog::log(spdlog::level::critical, format, std::forward<Args>(args)...);
}

}  // namespace headrace::log
