// Pictures, drawn by Python with matplotlib.
#pragma once

#include <string>

namespace headrace::commands {

/// python3 -c SCRIPT PATH with this text as its input. Throws Error that says what to install where python3 or
/// matplotlib (exit code 3 of the script) is missing.
void draw_picture(const std::string& script, const std::string& input, const std::string& path);

}  // namespace headrace::commands
