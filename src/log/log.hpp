// Where the service's words go: stderr, one line each, through spdlog; rank 0 speaks for all unless it is an error.
//
//   1. Each message is one line, whatever names it holds: all is made printable (base/printable.hpp) on the way out.
//   2. Nothing that happens to stderr (a closed pipe, a full disk, a terminal gone or stopped) stops the service.
//   3. Nothing of spdlog is seen here: its headers would be most of what a source that logs has to compile.
#pragma once

#include <fmt/core.h>

#include <string>

namespace headrace::log {

enum class Level { debug, info, warn, error, asked_for };

/// Sets the line format ("headrace lcd: ...") and the level; a quiet process prints warnings and errors only.
/// Call once, before other threads log.
void setup(const std::string& prefix, bool quiet, bool verbose);

/// Any thread. What the level leaves out is not formatted.
void put(Level level, fmt::string_view format, fmt::format_args args);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  put(Level::debug, format, fmt::make_format_args(args...));
}

template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  put(Level::info, format, fmt::make_format_args(args...));
}

template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  put(Level::warn, format, fmt::make_format_args(args...));
}

template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  put(Level::error, format, fmt::make_format_args(args...));
}

/// What somebody asked for: said by quiet processes, too.
template <typename... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
  put(Level::asked_for, format, fmt::make_format_args(args...));
}

}  // namespace headrace::log
