// The logger behind log.hpp, as spdlog knows it: for this room and its tests.
#pragma once

#include <spdlog/spdlog.h>

#include <memory>
#include <string>

namespace headrace::log {

/// The logger that setup() makes, writing to this sink.
std::shared_ptr<spdlog::logger> make_logger(const std::string& prefix, spdlog::sink_ptr sink);

}  // namespace headrace::log
