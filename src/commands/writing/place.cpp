#include "commands/writing/place.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>
#include <utility>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/host_name.hpp"
#include "commands/writing/claim.hpp"
#include "formats/journal.hpp"
#include "ipc/own_files.hpp"
#include "mpi/agree.hpp"

namespace headrace::commands::writing {

namespace {

namespace fs = std::filesystem;
constexpr auto appear_limit = std::chrono::seconds(10);  // network file systems remember for a while what was not there
constexpr auto look_every = std::chrono::milliseconds(50);

fs::path folder_of(const std::string& path) {
  const auto folder = fs::path(path).parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

bool appears(const std::string& path) {
  const auto until = std::chrono::steady_clock::now() + appear_limit;
  for (;;) {
    std::error_code unseen;  // not there yet, whatever the file system says meanwhile
    if (fs::exists(path, unseen)) return true;
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(look_every);
  }
}

}  // namespace

void require_common_folder(const mpi::Comm& all, const std::string& path) {
  const auto folder = folder_of(path);
  mpi::together(all, [&] {
    if (!fs::exists(folder))
      throw UsageError(
          fmt::format("'{}' cannot be written ({} has no folder {}); make it", path, host_name(), folder.string()));
    if (!fs::is_directory(folder))
      throw UsageError(fmt::format("'{}' cannot be written ({} is no folder); name another", path, folder.string()));
  });
  const auto token = all.bcast(fmt::format("{}.{}.{}.token", path, host_name(), getpid()));
  mpi::together(all, [&] {
    if (all.rank() != 0) return;
    try {
      ipc::Draft draft(token);
      draft.write(token);
      draft.put_in_place();
    } catch (const Error& error) {
      throw Error(fmt::format("'{}' cannot be written ({}); name another folder", path, error.what()));
    }
  });
  const bool there = appears(token);
  all.barrier();
  if (all.rank() == 0) {
    std::error_code gone;
    fs::remove(token, gone);
  }
  const auto first = all.bcast(host_name());
  mpi::together(all, [&] {
    require(there, fmt::format("the folder {} on {} is not that on {} (a file made there does not appear); write where "
                               "all nodes see the same, on a shared file system",
                               fs::absolute(folder).string(), host_name(), first));
  });
}

bool is_there(const mpi::Comm& all, const std::string& path) {
  const bool found = mpi::together(all, [&] { return all.rank() == 0 && fs::exists(path); });
  return all.max(std::uint64_t{found ? 1u : 0u}) > 0;
}

void require_free(const std::string& path, bool one_file, bool force, bool resume) {
  if (fs::is_directory(path)) throw UsageError(fmt::format("'{}' is a folder; name a file in it", path));
  const auto part = formats::part_of(path), old = part + ".old";
  require_regular(path);
  const bool there = fs::exists(path), copying = formats::has_journal(old);  // chunks of an earlier run
  // Killed when the file stood in its place, and only the journal was still to go; or another run is about to write it.
  if (one_file && there && !copying && !fs::exists(part) && !fs::exists(old) && !may_be_written(path)) {
    formats::remove_journal(part);
    sweep_claim(path);
  }
  const bool begun = formats::has_journal(part);
  if (resume) {
    if (there && !begun && !copying)
      throw UsageError(fmt::format("'{}' is complete (there is nothing to resume); check it with --verify", path));
    require(begun || copying,
            fmt::format("there is nothing to resume: {}.json is not there; run without --resume", part));
    return;
  }
  if (force) return;
  if (there) throw UsageError(fmt::format("'{}' exists (it would be lost); name another file, or give --force", path));
  if (begun || copying) throw UsageError(text_of_begun(path, part));
  for (const auto& left : {part, old}) require_nobodys(left);
}

void require_regular(const std::string& path) {
  if (fs::exists(path) && !fs::is_regular_file(path))
    throw UsageError(fmt::format("'{}' is no regular file (a device or a FIFO, say); name another", path));
}

void require_nobodys(const std::string& part) {
  if (fs::exists(fs::symlink_status(part)) && !formats::has_journal(part))
    throw UsageError(fmt::format("'{0}' is there, and {0}.json is not, so that nobody knows whose it is (it would be "
                                 "lost); move it away, or begin with --force",
                                 part));
}

void require_no_input(const std::string& path, const catalog::Catalog& catalog) {
  require_no_input(std::vector{path}, catalog);
}

void require_no_input(const std::vector<std::string>& paths, const catalog::Catalog& catalog) {
  // Each file is looked at once, however many there are of both.
  std::map<std::pair<dev_t, ino_t>, std::string> written;
  struct stat info {};
  for (const auto& path : paths)
    if (stat(path.c_str(), &info) == 0) written.try_emplace({info.st_dev, info.st_ino}, path);
  if (written.empty()) return;
  const auto refuse = [](const std::string& path) {
    throw UsageError(fmt::format("'{}' is one of the files that are read (it would be lost); name another file", path));
  };
  for (const auto* files : {&catalog.files, &catalog.as_named()})
    for (const auto& file : *files) {
      if (stat(file.path.c_str(), &info) == 0)
        if (const auto lost = written.find({info.st_dev, info.st_ino}); lost != written.end()) refuse(lost->second);
      for (const auto& [file_of, path] : written)
        if (file.rows && file.rows->reads(path)) refuse(path);
    }
}

void require_room(const std::string& path, std::uint64_t bytes, std::uint64_t there) {
  struct statvfs room {};
  const auto folder = fs::is_directory(path) ? fs::path(path) : folder_of(path);  // it may be a file system of its own
  if (statvfs(folder.c_str(), &room) != 0) return;  // writing will tell
  const auto left = static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize + there;
  require(bytes <= left, fmt::format("too little room for '{}' (it takes {}, and {} has {}); make room, or name a file "
                                     "elsewhere",
                                     path, format_bytes(bytes), folder.string(), format_bytes(left)));
}

std::uint64_t allocated(const std::string& path) {
  struct stat info {};
  constexpr std::uint64_t unit = 512;
  return stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_blocks) * unit : 0;
}

}  // namespace headrace::commands::writing
