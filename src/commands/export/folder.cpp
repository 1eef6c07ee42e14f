#include "commands/export/folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "base/user_file.hpp"
#include "commands/export/arrays.hpp"
#include "commands/writing/claim.hpp"
#include "formats/contiguous.hpp"
#include "ipc/own_files.hpp"

namespace headrace::commands::exporting {

namespace {

namespace fs = std::filesystem;

/// "." and ".." have no name of their own: what stands beside them would be within. A link is another name of the
/// folder that it leads to, which has one journal, and files of one name, whoever goes on with it.
std::string named(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const auto name = fs::path(path).filename();
  std::error_code unseen;
  if (name != "." && name != ".." && !fs::is_symlink(path, unseen)) return path;
  const auto place = fs::weakly_canonical(path, unseen);
  return unseen ? path : place.string();
}

/// In the journal: the fields that are written, as a list.
constexpr const char* fields_fact = "@fields";

/// What an export wrote into a folder, or began to.
class Written {
 public:
  Written(const std::string& folder, const std::string& part) {
    std::string why;
    const auto text = read_file_of_user((fs::path(folder) / "metadata.json").string(), why);
    const auto told = nlohmann::json::parse(text.value_or(""), nullptr, false);
    complete_ = told.is_object() && told.contains("headrace_version");
    if (!complete_) {
      begun(formats::read_facts(part));
      return;
    }
    records_ = !told.contains("fields") || !told["fields"].is_object();
    if (records_) return;
    fields_.emplace();
    for (const auto& [name, told_of_it] : told["fields"].items()) fields_->insert(name);
  }

  bool complete() const { return complete_; }

  /// file: within the folder. What somebody put there beside is not ours, even if it is of the same kind.
  bool has(const fs::path& file) const {
    auto name = file.filename().string();
    if (const auto whole = ipc::drafted(name))
      name = *whole;
    else if (name.ends_with(".part"))
      name.resize(name.size() - 5);
    const auto folder = file.parent_path().generic_string();
    if (records_) return folder.empty() && (name == "metadata.json" || is_numbered(name));
    if (folder.empty())
      return name == "metadata.json" || name == ".zmetadata" || name == ".zgroup" || is_numbered(name);
    if (name == ".zgroup") return any_field([&](const auto& field) { return field.starts_with(folder + "/"); });
    const bool chunk = name.find_first_not_of("0123456789.") == std::string::npos;
    return (chunk || name == ".zarray" || name == ".zattrs") &&
           any_field([&](const auto& field) { return field == folder; });
  }

 private:
  /// As the journal tells.
  void begun(const formats::Facts& facts) {
    const auto format = facts.find("export.format");
    records_ = format == facts.end() || format->second == "tfrecord";
    if (facts.count(fields_fact) == 0) return;  // of an older version
    const auto names = nlohmann::json::parse(facts.at(fields_fact), nullptr, false);
    if (!names.is_array()) return;
    fields_.emplace();
    for (const auto& name : names)
      if (name.is_string()) fields_->insert(name.get<std::string>());
  }
  /// NAME_0001.npy of a field, NAME_0001.tfrecord of a folder that may have been called otherwise.
  bool is_numbered(const std::string& name) const {
    constexpr std::size_t usual_digits = 4;
    const auto dot = std::min(name.rfind('.'), name.size()), line = name.substr(0, dot).rfind('_');
    if (line == std::string::npos || line == 0 || dot < line + 1 + usual_digits) return false;
    if (name.substr(line + 1, dot - line - 1).find_first_not_of("0123456789") != std::string::npos) return false;
    if (records_) return name.substr(dot) == ".tfrecord";
    return name.substr(dot) == ".npy" &&
           any_field([&](const auto& field) { return npy_name(field) == name.substr(0, line); });
  }
  /// Of an export of an older version that did not come to its end nobody knows the fields.
  template <class Holds>
  bool any_field(const Holds& holds) const {
    return !fields_ || std::any_of(fields_->begin(), fields_->end(), holds);
  }

  bool complete_ = false, records_ = false;  // records_: files of TFRecords, and no arrays
  std::optional<std::set<std::string>> fields_;
};

}  // namespace

Folder::Folder(const std::string& path) : path_(named(path)) {}

bool Folder::is_empty() const {
  return !fs::exists(path_) || fs::is_empty(path_);
}

void Folder::require_free(bool force, bool resume) const {
  if (fs::is_symlink(path_))  // links that lead somewhere were followed
    throw UsageError(
        fmt::format("'{}' is a link that leads nowhere ({} is not there); make that folder, or name another", path_,
                    fs::read_symlink(path_).string()));
  if (fs::exists(path_) && !fs::is_directory(path_))
    throw UsageError(fmt::format("'{}' is a file; name a folder", path_));
  if (resume) {
    require(formats::has_journal(part()),
            fmt::format("there is nothing to resume: {}.json is not there; run without --resume", part()));
    return;
  }
  if (force) {
    if (!is_empty() && !Written(path_, part()).complete() && !formats::has_journal(part()))
      throw UsageError(
          fmt::format("'{}' holds files that no export wrote (they would be lost); name another folder, or "
                      "move them away",
                      path_));
    return;
  }
  if (formats::has_journal(part())) throw UsageError(writing::text_of_begun(path_, path_));
  if (!is_empty())
    throw UsageError(
        fmt::format("the folder '{}' is not empty; name another, or give --force where an export made it", path_));
}

void Folder::clear() const {
  if (!fs::exists(path_)) return;
  const Written written(path_, part());
  for (const auto& entry : fs::recursive_directory_iterator(path_))
    if (!entry.is_directory() && !written.has(entry.path().lexically_relative(path_)))
      throw UsageError(
          fmt::format("'{}' is no file of an export (it would be lost); move it away", entry.path().string()));
  for (const auto& entry : fs::directory_iterator(path_)) fs::remove_all(entry.path());
}

std::vector<std::uint64_t> Folder::prepare(formats::Facts facts, const std::vector<std::string>& fields, bool force,
                                           bool resume) {
  facts[fields_fact] = nlohmann::json(fields).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::vector<std::uint64_t> finished;
  if (resume) {
    formats::require_same_facts(part(), facts);
    for (const auto& [shard, entry] : formats::read_blocks(part())) finished.push_back(shard);
    return finished;
  }
  if (force) clear();
  made_ = fs::create_directories(path_);
  formats::remove_journal(part());
  formats::write_facts(part(), facts);
  return finished;
}

void Folder::write(const std::string& name, const std::string& text) const {
  const auto path = fs::path(path_) / name;
  fs::create_directories(path.parent_path());
  ipc::write_whole(path.string(), text);
  formats::sync_folder_of(path.string());  // the names of the shards in it, too
}

void Folder::complete() const {
  sweep();
  formats::remove_journal(part());
}

/// Drafts that an earlier run left when it was killed: readers refuse folders with files that they do not know.
void Folder::sweep() const {
  const Written written(path_, part());
  std::vector<fs::path> left;
  std::error_code gone;
  constexpr auto what_can_be = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(path_, what_can_be, gone), end; !gone && entry != end;
       entry.increment(gone))
    if (ipc::drafted(entry->path().filename().string()) && written.has(entry->path().lexically_relative(path_)))
      left.push_back(entry->path());
  for (const auto& draft : left) fs::remove(draft, gone);
}

std::uint64_t Folder::bytes() const {
  std::uint64_t sum = 0;
  std::error_code gone;  // others may have files there that come and go
  constexpr auto what_can_be = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(path_, what_can_be, gone), end; !gone && entry != end;
       entry.increment(gone)) {
    std::error_code unseen;
    const auto size = entry->is_regular_file(unseen) ? entry->file_size(unseen) : 0;
    if (!unseen) sum += size;
  }
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
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder)
    if (made_ || folder->string() != path_) fs::remove(*folder, gone);
}

}  // namespace headrace::commands::exporting
