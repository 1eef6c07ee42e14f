// Where the service's words go: stderr, one line each, through spdlog; rank 0 speaks for all unless it is an error.
#pragma once

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <string>

namespace headrace::log {

/// Sets the line format ("headrace lcd: ...") and the level; a quiet process prints warnings and errors only.
/// Call once, before other threads start.
void setup(const std::string& prefix, bool quiet, bool verbose);

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

}  // namespace headrace::log
