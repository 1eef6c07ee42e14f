#include "reader/virtual_guard.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "base/error.hpp"
#include "base/file_limit.hpp"
#include "catalog/coverage.hpp"
#include "h5/describe.hpp"

namespace headrace::reader {

namespace {

constexpr std::uint64_t spare_files = 16;  // that others open meanwhile: trainers, logs

bool touch(const std::vector<catalog::RowRun>& runs, const std::vector<Piece>& pieces) {
  auto run = runs.begin();
  for (const auto& piece : pieces) {
    while (run != runs.end() && run->last <= piece.row) ++run;
    if (run != runs.end() && run->first < piece.row + piece.rows) return true;
  }
  return false;
}

/// The files of the parts that these rows are made of.
std::set<std::string> sources_of(const h5::DatasetInfo& dataset, const std::vector<Piece>& pieces) {
  std::set<std::string> files;
  for (const auto& part : dataset.parts)
    if (!part.found.empty() && !files.contains(part.found) && touch(catalog::rows_of(part, dataset.dims), pieces))
      files.insert(part.found);
  return files;
}

using Inode = std::pair<dev_t, ino_t>;

std::set<Inode> open_inodes() {
  std::set<Inode> inodes;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) == 0) inodes.emplace(status.st_dev, status.st_ino);
  }
  return inodes;
}

}  // namespace

void require_room_for_sources(const catalog::FileInfo& file, const h5::DatasetInfo& dataset,
                              const std::vector<Piece>& pieces) {
  if (dataset.parts.empty()) return;
  const auto mine = sources_of(dataset, pieces);
  std::set<std::string> own;
  for (const auto& part : dataset.parts) own.insert(part.found);
  // Sources may be virtual themselves; which of theirs a row takes is not known here.
  const auto deeper = std::count_if(file.sources.begin(), file.sources.end(),
                                    [&](const catalog::SourceFile& source) { return !own.contains(source.path); });
  const auto need = mine.size() + static_cast<std::uint64_t>(deeper);
  const auto limit = file_limit(), now = open_files();
  if (need + now + spare_files <= limit) return;
  throw Error(fmt::format(
      "it is virtual, and HDF5 keeps {} sources of these rows open at once, beside {} files that are; this process may "
      "open {} (ulimit -n): raise it to {}, or use more stagers",
      need, now, limit, need + now + spare_files));
}

void require_raw_files(const h5::File& file, const h5::DatasetInfo& dataset) {
  if (dataset.layout != h5::Layout::other || !dataset.parts.empty()) return;
  const auto lost = h5::describe_dataset(file, dataset.place()).lost;
  require(lost.empty(), lost);
}

void require_open_sources(const h5::DatasetInfo& dataset, const std::vector<Piece>& pieces) {
  if (dataset.parts.empty()) return;
  const auto inodes = open_inodes();
  if (inodes.empty()) return;  // no /proc: the sources were looked for, and that must do
  for (const auto& file : sources_of(dataset, pieces)) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0 || !inodes.contains({status.st_dev, status.st_ino}))
      throw Error(fmt::format(
          "it is virtual, and HDF5 did not open its source {}, but took the fill value for its rows; has that file "
          "changed since it was examined, or does this process look for it elsewhere?",
          file));
  }
}

}  // namespace headrace::reader
