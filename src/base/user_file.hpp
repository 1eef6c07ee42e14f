// Files that a user names, opened for reading. What is no file is refused by its type and never waited for: to open a
// FIFO blocks until somebody writes, and some devices never end. Any thread.
#pragma once

#include <optional>
#include <string>

namespace headrace {

/// What stands there instead of a file, links followed: "a directory", "a FIFO", "a device", "a socket". "" for files,
/// and where nothing can be seen.
std::string instead_of_file(const std::string& path);

/// A descriptor of a regular file (close-on-exec), or -1: then `why` says why, as in "it is a FIFO, no file",
/// "no such file" or the system's words.
int open_file_of_user(const std::string& path, std::string& why);

/// All that the file holds; nothing, and `why`, if it cannot be read.
std::optional<std::string> read_file_of_user(const std::string& path, std::string& why);

}  // namespace headrace
