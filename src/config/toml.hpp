// The configuration file: TOML to settings, in the file's own order.
#pragma once

#include <string>
#include <vector>

#include "config/keys.hpp"

namespace headrace::config {

/// Where a setting comes from, in ascending precedence.
enum class Source { file, environment, flag };

/// One key set to one value by one source.
struct Setting {
  Source source;
  const Key* key;             ///< nullptr: names the section and sets nothing (an empty [field.X])
  std::string kind, section;  ///< "field", "stream" or "class" and the name of the section; both empty at the top level
  Value value;
};

/// The settings of the file at `path`, in its order; ${NAME} expanded, paths relative to its folder.
/// Everything that is wrong goes to `mistakes`, with file and line.
std::vector<Setting> read_toml(const std::string& path, const Environment& variables, Mistakes& mistakes);

}  // namespace headrace::config
