#include "data/selection/scan_settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/error.hpp"
#include "inventory/scan.hpp"

namespace headrace::data::selection {

namespace {

/// All texts of a configuration that may name datasets.
std::vector<std::string> texts_of(const config::Config& config) {
  std::vector<std::string> texts{config.where};
  for (const auto& field : config.fields) {
    texts.insert(texts.end(), field.source.begin(), field.source.end());
    texts.insert(texts.end(), {field.name, field.valid, field.join});
  }
  for (const auto& one : config.classes) texts.push_back(one.where);
  for (const auto& axis : config.resample.bins) texts.push_back(axis.item);
  for (const auto& stream : config.streams) texts.insert(texts.end(), {stream.where, stream.select_by});
  return texts;
}

bool is_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Whether a path stands in the text as a word of its own. Once too often does no harm: the file is read more slowly.
bool mentions(const std::string& text, const std::string& path) {
  for (auto at = text.find(path); at != std::string::npos; at = text.find(path, at + 1)) {
    const auto end = at + path.size();
    const bool begins = at == 0 || !is_letter(text[at - 1]);
    if (begins && (end == text.size() || (!is_letter(text[end]) && text[end] != '/'))) return true;
  }
  return false;
}

std::string files_text(std::size_t n) {
  return n == 1 ? "file" : fmt::format("{} files", n);
}

}  // namespace

catalog::ScanOptions scan_options(const config::Config& config) {
  catalog::ScanOptions options;
  options.fill_gaps = config.virtual_gaps == config::VirtualGaps::fill;
  options.keep = [texts = texts_of(config), automatic = config.fields.empty()](const h5::DatasetInfo& dataset) {
    auto names = dataset.aliases;
    names.push_back(dataset.path);
    return (automatic && !dataset.dims.empty()) || std::any_of(names.begin(), names.end(), [&](const auto& name) {
             return std::any_of(texts.begin(), texts.end(), [&](const auto& text) { return mentions(text, name); });
           });
  };
  return options;
}

std::vector<VirtualNote> virtual_notes(const catalog::Contents& contents) {
  std::vector<VirtualNote> notes;
  for (std::size_t f = 0; f < contents.size(); ++f) {
    const auto& file = contents[f];
    if (file.instead_of && !file.continues) {
      auto after = f + 1;
      while (after < contents.size() && contents[after].continues) ++after;
      notes.push_back({fmt::format("{} is virtual: its {} {} read in its place", file.instead_of->path,
                                   files_text(after - f), after - f == 1 ? "is" : "are")});
    }
    if (file.instead_of) continue;
    for (const auto& report : file.virtuals) {
      const bool gaps = report.fill_rows > 0;
      if (gaps)
        notes.push_back({fmt::format("'{}' in {}: {}", report.dataset, file.path, catalog::text_of(report)), true});
      else if (&report == file.virtuals.data() && !report.why_not.empty())
        notes.push_back({fmt::format("{} is virtual, and read through HDF5 ({})", file.path, report.why_not)});
    }
  }
  const auto* source = inventory::source_in(contents);
  if (source == nullptr || source->inventory().left_out.empty()) return notes;
  const auto& left_out = source->inventory().left_out;
  std::vector<std::string> paths;
  for (const auto& sample : left_out) paths.push_back(sample.path);
  notes.push_back({fmt::format("{} samples of {} are left out, as they have no file that can be read: {}",
                               left_out.size(), contents[0].path, some_of(paths)),
                   true});
  return notes;
}

}  // namespace headrace::data::selection
