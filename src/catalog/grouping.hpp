// Which datasets of the files belong together: those with the same rows in every file.
#pragma once

#include <string>
#include <vector>

#include "catalog/catalog.hpp"

namespace headrace::catalog {

/// Datasets that have the same number of rows in each file.
struct Group {
  std::vector<std::uint64_t> rows;    ///< per file
  std::vector<DatasetInfo> datasets;  ///< by path

  std::uint64_t samples() const;
  std::uint64_t bytes() const;
};

struct Grouping {
  std::vector<Group> groups;         ///< the one with the most datasets first; of such, the one with the most bytes
  std::vector<LeftOut> unfit;        ///< cannot be fields: their type, or they are missing in a file
  std::vector<LeftOut> disagreeing;  ///< row shapes or types differ between files
};

/// What unfit() asks for, in words.
constexpr const char* fit_for_fields = "unnamed, numbers, bools and arrays of them are";

Grouping group(const Contents& contents);

/// The dataset of that path over all files. Errors tell what keeps it from being a field. may_lack: files may be
/// without it, but not all of them.
DatasetInfo gather(const Contents& contents, const std::string& path, bool may_lack = false);

/// The dataset of that path in one file, by whichever of its names, if it is there.
const h5::DatasetInfo* find(const FileContents& file, const std::string& path);

/// What was found of it where it is virtual, or nullptr.
const VirtualReport* find_virtual(const FileContents& file, const h5::DatasetInfo& dataset);

/// "it is a soft link to '/x' that leads nowhere (...)", where the path, or a group above it, is such a link; else "".
std::string dead_link(const FileContents& file, const std::string& path);

/// The same with the file's name, of the first file where that is so; to go into a message about a dataset that is not
/// found.
std::string dead_link(const Contents& contents, const std::string& path);

/// Why this dataset of one file cannot be a field as it is; "" if it can.
std::string unfit(const h5::DatasetInfo& dataset);

/// Why its rows cannot be read at all; "" if they can.
std::string unreadable(const h5::DatasetInfo& dataset);

/// Paths of all datasets of a file.
std::vector<std::string> names(const FileContents& file);

}  // namespace headrace::catalog
