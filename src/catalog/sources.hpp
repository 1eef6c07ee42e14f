// The files that virtual datasets are made of: looked for as HDF5 does, and opened, before anybody relies on them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "catalog/source.hpp"

namespace headrace::catalog {

class Examiner;

class Sources {
 public:
  /// The source of a part of a virtual dataset that lies in the file `home`; it has been looked for.
  const Source& of(const std::string& home, const h5::VirtualPart& part) const;
  /// The dataset of a part, or nullptr where its file is not there. Its `problem` says why it cannot be opened.
  const h5::DatasetInfo* dataset_of(const std::string& home, const h5::VirtualPart& part) const;

 private:
  friend class Search;
  std::map<std::pair<std::string, std::string>, Source> all_;  // by home and name
};

/// Does n jobs and returns what each made: alone, or shared among ranks.
using Spread = std::function<std::vector<std::string>(std::size_t n, const std::function<std::string(std::size_t)>&)>;

/// All sources of all virtual datasets of these files, and theirs in turn. Notes in each part where it was found.
Sources find_sources(Contents& contents, Examiner& examiner, const Spread& spread);

}  // namespace headrace::catalog
