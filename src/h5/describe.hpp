// What is in a file: every dataset, and how it lies there.
#pragma once

#include <string>
#include <vector>

#include "h5/dataset.hpp"
#include "h5/file.hpp"
#include "h5/links.hpp"

namespace headrace::h5 {

struct FileDescription {
  std::vector<DatasetInfo> datasets;  ///< by path
  std::vector<GroupAlias> groups;     ///< other names of groups
  std::vector<DeadLink> dead_links;
};

/// How much is done with each dataset: it is described, or read from as well, for what that may do to the process
/// (trial.hpp).
enum class Depth { describe, try_reading };

/// Every dataset of the file at any depth, each once. Of several links to one dataset the shallowest hard link (then
/// the first by name) gives the path, and the others are aliases. Datasets of other files behind external links, to
/// themselves or to a group above, are listed with layout `other`. Groups are not followed twice, so loops end.
FileDescription describe_file(const File& file, Depth depth = Depth::describe);
std::vector<DatasetInfo> describe_datasets(const File& file);

/// The dataset of that path. Where it cannot be opened, `problem` says why.
DatasetInfo describe_dataset(const File& file, const std::string& path, Depth depth = Depth::describe);

/// Reads from virtual datasets that are known to come to an end, by path, as Depth::try_reading does from others.
void try_virtual(const File& file, const std::vector<std::string>& paths);

}  // namespace headrace::h5
