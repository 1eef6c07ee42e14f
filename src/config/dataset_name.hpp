// Names of datasets and columns in one text, as users write them. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace headrace::config {

/// "path.column" taken apart: the longest dataset path that is there, and the rest behind the dot ("" if nothing is
/// left). Nothing where no dataset fits. A leading slash does not count.
template <class HasDataset>
std::optional<std::pair<std::string, std::string>> take_apart(std::string name, HasDataset&& has) {
  while (name.starts_with('/')) name.erase(0, 1);
  if (has(name)) return std::pair{name, std::string()};
  for (auto dot = name.rfind('.'); dot != std::string::npos && dot > 0; dot = name.rfind('.', dot - 1))
    if (has(name.substr(0, dot))) return std::pair{name.substr(0, dot), name.substr(dot + 1)};
  return std::nullopt;
}

/// did_you_mean() for such a name where no dataset fits: one of whole paths, or of what stands before its last dot.
std::string dataset_meant(const std::string& name, const std::vector<std::string>& datasets);

}  // namespace headrace::config
