// Text from outside (names in files, of hosts and services, of a configuration; what trainers say) made fit for
// terminals and logs: it can neither steer a terminal nor begin a line of its own, and so not pass for a line of ours.
// Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace headrace {

/// The text with everything escaped that is not meant to be seen: control characters as \n, \t or \x1b (those of
/// Unicode, and what turns the direction of writing or parts lines, as \u202e), bytes that are no UTF-8 as \xff. All
/// else stays as it is. One line.
std::string printable(std::string_view text);

/// Whether the text is valid UTF-8 without NUL, as JSON and C take it, control characters and all.
bool is_text(std::string_view text);

/// printable() for lines: their ends stay.
std::string printable_lines(std::string_view text);

/// The same for a message of ours that may hold several lines: line feeds stay, and every line but the first is
/// indented, by two characters at least, so that none can pass for the first line of another message.
std::string printable_message(std::string_view text);

}  // namespace headrace
