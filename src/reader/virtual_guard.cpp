#include "reader/virtual_guard.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

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

/// Nothing where no file is to be seen.
std::optional<Inode> inode_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Inode{status.st_dev, status.st_ino};
}

std::set<Inode> open_inodes() {
  std::set<Inode> inodes;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error))
    if (const auto inode = inode_of(entry.path().string())) inodes.insert(*inode);
  return inodes;
}

/// All that HDF5 opens for these rows. Raw files are among them, though it opens these one after another: nobody tells
/// them from sources here.
std::set<std::string> paths_behind(const catalog::FileInfo& file, const h5::DatasetInfo& dataset,
                                   const std::vector<Piece>& pieces) {
  auto paths = sources_of(dataset, pieces);
  std::set<std::string> own;
  for (const auto& part : dataset.parts) own.insert(part.found);
  // Sources may be virtual themselves; which of theirs a row takes is not known here.
  for (const auto& source : file.sources)
    if (!own.contains(source.path)) paths.insert(source.path);
  return paths;
}

/// HDF5 opens a file once, by however many names it comes to it, and has opened that of the virtual dataset.
std::uint64_t files_to_open(const std::set<std::string>& paths, const std::string& virtual_file) {
  std::set<Inode> seen;
  if (const auto inode = inode_of(virtual_file)) seen.insert(*inode);
  std::uint64_t files = 0;
  for (const auto& path : paths) {
    const auto inode = inode_of(path);
    if (!inode || seen.insert(*inode).second) ++files;
  }
  return files;
}

}  // namespace

void require_room_for_sources(const catalog::FileInfo& file, const h5::DatasetInfo& dataset,
                              const std::vector<Piece>& pieces) {
  if (dataset.parts.empty()) return;
  const auto paths = paths_behind(file, dataset, pieces);
  const auto limit = file_limit(), now = open_files();
  const auto is_room = [&](std::uint64_t files) { return files + now + spare_files <= limit; };
  if (is_room(paths.size())) return;  // mostly so: then no file is looked at
  const auto need = files_to_open(paths, file.path);
  if (is_room(need)) return;
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
    const auto inode = inode_of(file);
    if (!inode || !inodes.contains(*inode))
      throw Error(fmt::format(
          "it is virtual, and HDF5 did not open its source {}, but took the fill value for its rows; has that file "
          "changed since it was examined, or does this process look for it elsewhere?",
          file));
  }
}

}  // namespace headrace::reader
