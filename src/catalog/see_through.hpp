// Virtual files replaced by the files that they are made of.
//
// A virtual dataset that puts whole datasets of other files one after another is a list of files, and as such it reads
// many times faster than through HDF5, and tells where its rows come from.
//
//   1. A file is seen through where all its virtual datasets are made of whole source datasets, in order along axis 0,
//      of the same list of files, with the same type and row shape as they have themselves; datasets of as many rows
//      have as many of them in each file. Sources that are virtual are seen through in turn.
//   2. It may hold other datasets beside, unless `keep` asks for them; these are not there any more then.
//   3. Names, aliases, attributes of datasets and root are those of the virtual file.
#pragma once

#include <functional>
#include <string>

#include "catalog/virtual_check.hpp"

namespace headrace::catalog {

struct SeeThrough {
  Contents files;       ///< in its place; none: it stays
  std::string why_not;  ///< then
};

/// keep: whether an ordinary dataset beside the virtual ones has to stay.
SeeThrough see_through(const FileContents& file, const Sources& sources,
                       const std::function<bool(const h5::DatasetInfo&)>& keep);

/// Every file that is opened when datasets of this one are read through HDF5, being virtual, behind external links or
/// in raw files; each once, but for itself. Error where one of the latter two is gone.
std::vector<SourceFile> files_behind(const FileContents& file, const Sources& sources);

}  // namespace headrace::catalog
