#include "data/selection/files_meant.hpp"

#include <fnmatch.h>

#include <filesystem>

#include "inventory/source.hpp"

namespace headrace::data::selection {

namespace {

std::string normal(const std::string& path) {
  std::error_code ignored;
  const auto real = std::filesystem::weakly_canonical(path, ignored).string();
  return real.empty() ? path : real;
}

bool matches(const std::string& pattern, const std::string& path) {
  if (pattern == path || normal(pattern) == normal(path) || fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0)
    return true;
  // A pattern without a folder means files of that name, wherever they are.
  return pattern.find('/') == std::string::npos &&
         fnmatch(pattern.c_str(), std::filesystem::path(path).filename().c_str(), 0) == 0;
}

}  // namespace

std::vector<bool> files_meant(const std::vector<std::string>& patterns, const catalog::Catalog& catalog,
                              std::vector<bool>& used) {
  used.assign(patterns.size(), false);
  std::vector<bool> meant(catalog.files.size());
  for (std::size_t f = 0; f < meant.size(); ++f) {
    const auto& named = catalog.named_of(f).path;  // of a virtual file that was seen through, both names count
    for (std::size_t i = 0; i < patterns.size(); ++i)
      if (matches(patterns[i], catalog.files[f].path) || matches(patterns[i], named)) used[i] = meant[f] = true;
  }
  return meant;
}

std::vector<plan::Range> samples_meant(const std::vector<std::string>& patterns, const catalog::Catalog& catalog) {
  std::vector<bool> used;
  std::vector<plan::Range> ranges;
  const auto meant = files_meant(patterns, catalog, used);
  for (std::size_t f = 0; f < meant.size(); ++f) {
    const auto& file = catalog.files[f];
    if (!meant[f] || file.samples == 0) continue;
    if (!ranges.empty() && ranges.back().last == file.first_sample)
      ranges.back().last += file.samples;
    else
      ranges.push_back({file.first_sample, file.first_sample + file.samples});
  }
  return ranges;
}

std::string samples_left_out(const catalog::Catalog& catalog) {
  std::string lines;
  for (const auto& file : catalog.files)
    if (const auto* source = dynamic_cast<const inventory::Source*>(file.rows.get()))
      for (const auto& sample : source->inventory().left_out) lines += sample.line + "\n";
  return lines;
}

}  // namespace headrace::data::selection
