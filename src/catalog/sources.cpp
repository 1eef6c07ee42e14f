#include "reader/sources.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/reading_note.hpp"
#include "reader/examiner.hpp"
#include "reader/file_print.hpp"
#include "reader/serialise.hpp"

namespace headrace::reader {

namespace {

std::string folders_of(const std::vector<std::string>& candidates) {
  std::vector<std::string> folders;
  std::error_code ignored;
  for (const auto& candidate : candidates) {
    auto folder = std::filesystem::absolute(candidate, ignored).lexically_normal().parent_path().string();
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.push_back(std::move(folder));
  }
  return fmt::format("{}", fmt::join(folders, ", "));
}

}  // namespace

Source look_for(const Ask& ask, h5::Depth depth) {
  const auto candidates = h5::source_candidates(ask.home, ask.name);
  Source source;
  std::error_code ignored;
  for (const auto& candidate : candidates) try {
      const auto note = ReadingNote::of_file(candidate);
      const auto file = h5::open_file(candidate);
      const auto print = print_of(candidate);
      source.file = {.path = candidate, .bytes = print.bytes, .mtime_ns = print.mtime_ns, .head = print.head};
      for (const auto& path : ask.datasets) source.file.datasets.push_back(h5::describe_dataset(file, path, depth));
      source.why.clear();
      return source;
    } catch (const Error& error) {
      if (source.why.empty() && std::filesystem::exists(candidate, ignored)) source.why = error.what();
    }
  if (source.why.empty()) source.why = "no such file in " + folders_of(candidates);
  return source;
}

std::string pack(const Source& source) {
  return std::string(source.why.empty() ? "+" : "-") + (source.why.empty() ? pack(source.file) : source.why);
}

namespace {

Source unpacked(const std::string& text) {
  Source source;
  if (text.starts_with('+'))
    source.file = unpack(text.substr(1));
  else
    source.why = text.substr(1);
  return source;
}

}  // namespace

const Source& Sources::of(const std::string& home, const h5::VirtualPart& part) const {
  const auto at = all_.find({home, part.file});
  EXPECTS(at != all_.end());
  return at->second;
}

const h5::DatasetInfo* Sources::dataset_of(const std::string& home, const h5::VirtualPart& part) const {
  const auto& datasets = of(home, part).file.datasets;
  const auto at = std::find_if(datasets.begin(), datasets.end(),
                               [&](const h5::DatasetInfo& dataset) { return dataset.path == part.dataset; });
  return at == datasets.end() ? nullptr : &*at;
}

/// Round by round: sources may be virtual themselves. Ends even where they lead in a circle, since each is asked once.
class Search {
 public:
  Search(Examiner& examiner, const Spread& spread) : examiner_(examiner), spread_(spread) {}

  Sources run(Contents& contents) {
    for (const auto& file : contents)
      for (const auto& dataset : file.datasets) ask_for(dataset);
    while (!asked_.empty()) round();
    for (auto& file : contents)
      for (auto& dataset : file.datasets) note_places(dataset);
    for (auto& [key, source] : found_.all_)
      for (auto& dataset : source.file.datasets) note_places(dataset);
    return std::move(found_);
  }

 private:
  void ask_for(const h5::DatasetInfo& dataset) {
    for (const auto& part : dataset.parts) {
      const std::pair key{dataset.home, part.file};
      if (known_[key].insert(part.dataset).second) asked_[key].insert(part.dataset);
    }
  }

  void round() {
    std::vector<Ask> asks;
    for (auto& [key, datasets] : asked_) asks.push_back({key.first, key.second, std::move(datasets)});
    asked_.clear();
    const auto texts = spread_(asks.size(), [&](std::size_t i) { return examiner_.source(asks[i]); });
    for (std::size_t i = 0; i < asks.size(); ++i) {
      auto source = unpacked(texts[i]);
      for (const auto& dataset : source.file.datasets) ask_for(dataset);
      const auto [at, is_new] = found_.all_.try_emplace({asks[i].home, asks[i].name}, source);
      if (!is_new)  // more datasets of a file that was there before
        for (auto& dataset : source.file.datasets) at->second.file.datasets.push_back(std::move(dataset));
    }
  }

  void note_places(h5::DatasetInfo& dataset) const {
    for (auto& part : dataset.parts) {
      const auto* there = found_.dataset_of(dataset.home, part);
      part.found = there != nullptr && there->problem.empty() ? found_.of(dataset.home, part).file.path : "";
    }
  }

  Examiner& examiner_;
  const Spread& spread_;
  std::map<std::pair<std::string, std::string>, std::set<std::string>> known_, asked_;
  Sources found_;
};

Sources find_sources(Contents& contents, Examiner& examiner, const Spread& spread) {
  return Search(examiner, spread).run(contents);
}

}  // namespace headrace::reader
