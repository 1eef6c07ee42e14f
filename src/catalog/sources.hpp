// The files that virtual datasets are made of: looked for as HDF5 does, and opened, before anybody relies on them.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reader/catalog.hpp"

namespace headrace::reader {

/// A file that somebody names, and which of its datasets.
struct Ask {
  std::string home, name;
  std::set<std::string> datasets;
};

/// Virtual datasets of one file, which come to an end: they are tried.
struct Trial {
  std::string path;
  std::vector<std::string> datasets;
};

/// One source file, as a virtual file names it.
struct Source {
  std::string why;    ///< why there is none that can be opened, and where it was looked for; "": there is
  FileContents file;  ///< where there is; only the datasets that were asked for, each under the name that it was
};

/// The first candidate that can be opened, as HDF5 takes it, here and now. What stands in the way of one that is there
/// is told.
Source look_for(const Ask& ask, h5::Depth depth = h5::Depth::describe);

/// As bytes, so that processes can exchange it.
std::string pack(const Source& source);

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

}  // namespace headrace::reader
