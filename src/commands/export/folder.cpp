#include "commands/export/folder.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.hpp"
#include "base/user_file.hpp"
#include "ipc/own_files.hpp"

namespace headrace::commands::exporting {

namespace {

namespace fs = std::filesystem;

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

/// Files of the kinds that an export writes.
bool is_ours(const fs::path& file) {
  const auto name = file.filename().string();
  if (name == "metadata.json" || name.starts_with(".z") || name.ends_with(".part")) return true;
  if (name.ends_with(".tfrecord") || name.ends_with(".npy")) return true;
  return name.find_first_not_of("0123456789.") == std::string::npos;  // a chunk of Zarr
}

}  // namespace

Folder::Folder(const std::string& path) : path_(without_slash(path)) {}

bool Folder::is_empty() const {
  return !fs::exists(path_) || fs::is_empty(path_);
}

void Folder::require_free(bool force, bool resume) const {
  if (fs::exists(path_) && !fs::is_directory(path_))
    throw UsageError(fmt::format("'{}' is a file; name a folder", path_));
  if (resume) {
    require(formats::has_journal(part()),
            fmt::format("there is nothing to resume: {}.json is not there; run without --resume", part()));
    return;
  }
  if (force) {
    std::string why;
    const auto text = read_file_of_user((fs::path(path_) / "metadata.json").string(), why);
    const auto there = nlohmann::json::parse(text.value_or(""), nullptr, false);
    const bool known = (there.is_object() && there.contains("headrace_version")) || formats::has_journal(part());
    if (!is_empty() && !known)
      throw UsageError(
          fmt::format("'{}' holds files that no export wrote (they would be lost); name another folder, or "
                      "move them away",
                      path_));
    return;
  }
  if (formats::has_journal(part()))
    throw UsageError(
        fmt::format("'{}' is what an earlier run left; go on with --resume, or begin anew with --force", path_));
  if (!is_empty())
    throw UsageError(
        fmt::format("the folder '{}' is not empty; name another, or give --force where an export made it", path_));
}

void Folder::clear() const {
  if (!fs::exists(path_)) return;
  for (const auto& entry : fs::recursive_directory_iterator(path_))
    if (!entry.is_directory() && !is_ours(entry.path()))
      throw UsageError(
          fmt::format("'{}' is no file of an export (it would be lost); move it away", entry.path().string()));
  for (const auto& entry : fs::directory_iterator(path_)) fs::remove_all(entry.path());
}

std::vector<std::uint64_t> Folder::prepare(const formats::Facts& facts, bool force, bool resume) {
  std::vector<std::uint64_t> finished;
  if (resume) {
    formats::require_same_facts(part(), facts);
    for (const auto& [shard, entry] : formats::read_blocks(part())) finished.push_back(shard);
    return finished;
  }
  if (force) clear();
  fs::create_directories(path_);
  formats::remove_journal(part());
  formats::write_facts(part(), facts);
  return finished;
}

void Folder::write(const std::string& name, const std::string& text) const {
  const auto path = fs::path(path_) / name;
  fs::create_directories(path.parent_path());
  ipc::Draft draft(path.string());
  draft.write(text);
  draft.put_in_place();
}

void Folder::complete() const {
  formats::remove_journal(part());
}

std::uint64_t Folder::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path_))
    if (entry.is_regular_file()) sum += entry.file_size();
  return sum;
}

void Folder::discard() const {
  formats::remove_journal(part());
  std::error_code gone;
  for (const auto& entry : fs::recursive_directory_iterator(path_, gone))
    if (entry.path().extension() == ".part") fs::remove(entry.path(), gone);
  // Folders that are empty now, from the inside.
  std::vector<fs::path> folders{path_};
  for (const auto& entry : fs::recursive_directory_iterator(path_, gone))
    if (entry.is_directory()) folders.push_back(entry.path());
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) fs::remove(*folder, gone);
}

}  // namespace headrace::commands::exporting
