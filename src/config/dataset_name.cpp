#include "config/dataset_name.hpp"

#include "base/error.hpp"

namespace headrace::config {

std::string dataset_meant(const std::string& name, const std::vector<std::string>& datasets) {
  const auto dot = name.rfind('.');
  if (dot == std::string::npos || !nearest(name, datasets).empty()) return did_you_mean(name, datasets);
  return did_you_mean(name.substr(0, dot), datasets);
}

}  // namespace headrace::config
