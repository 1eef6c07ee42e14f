// One file that virtual datasets are made of: looked for as HDF5 does.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "h5/describe.hpp"

namespace headrace::catalog {

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
Source unpack_source(const std::string& text);

}  // namespace headrace::catalog
