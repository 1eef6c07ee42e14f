// The value of the key window, and what it asks for against other keys. Pure functions; they throw UsageError.
#pragma once

#include <string>

#include "config/value.hpp"

namespace headrace::config {

/// "3TiB", "200", "auto" or "none".
WindowConfig window_size(const Value& value);
/// The same back; "none" where there are no windows.
std::string text_of(const WindowConfig& window);

void check_window(const Config& config, Mistakes& mistakes);

}  // namespace headrace::config
