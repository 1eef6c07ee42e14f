// Which files the user means.
#pragma once

#include <string>
#include <vector>

namespace headrace::catalog {

/// The files behind paths and glob patterns (* ? []): the order given, matches of one pattern sorted by name. Throws
/// UsageError for an empty list, a pattern that matches nothing, and a file that is named twice. A path that exists is
/// taken as it is, whatever characters it holds; whether the others exist is seen when they are opened.
std::vector<std::string> expand_files(const std::vector<std::string>& patterns);

}  // namespace headrace::catalog
