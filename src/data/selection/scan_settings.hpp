// What the configuration says about virtual datasets, as the reader takes it, and what people are told of them. Pure.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "config/config.hpp"

namespace headrace::data::selection {

/// Datasets beside virtual ones stay where the configuration names them; where it names no fields, all that could be.
catalog::ScanOptions scan_options(const config::Config& config);

/// One line about each virtual file, and whether it is a warning: rows are fill values. And about samples of an
/// inventory that are left out.
struct VirtualNote {
  std::string text;
  bool warning = false;
};
std::vector<VirtualNote> virtual_notes(const catalog::Contents& contents);

}  // namespace headrace::data::selection
