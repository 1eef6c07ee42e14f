#include "catalog/sources.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/reading_note.hpp"
#include "catalog/examiner.hpp"
#include "catalog/file_print.hpp"
#include "catalog/serialise.hpp"

namespace headrace::catalog {

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
      auto source = unpack_source(texts[i]);
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

}  // namespace headrace::catalog
