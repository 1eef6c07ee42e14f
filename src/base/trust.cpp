#include "base/trust.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/printable.hpp"

namespace headrace {

namespace {

namespace fs = std::filesystem;

/// Where each user has a group of the same name, files are made writable for it, which opens them to nobody.
bool is_own_group(gid_t group) {
  const passwd* const user = getpwuid(geteuid());
  if (user == nullptr) return false;
  const std::string name = user->pw_name;
  const struct group* const found = getgrgid(group);
  return found != nullptr && name == found->gr_name;
}

std::string mode_text(const struct stat& info) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(info.st_mode) & 07777u);
  return text;
}

bool others_write(const struct stat& info) {
  return (info.st_mode & S_IWOTH) != 0 || ((info.st_mode & S_IWGRP) != 0 && !is_own_group(info.st_gid));
}

std::string about(const std::string& path, const struct stat& info) {
  if (info.st_uid != 0 && info.st_uid != geteuid())
    return "'" + printable(path) + "' belongs to another user (uid " + std::to_string(info.st_uid) +
           "), and its code would run as yours; make a copy of your own";
  if (others_write(info))
    return "others may write '" + printable(path) + "' (mode " + mode_text(info) +
           "), and its code would run as yours; take that from them: chmod go-w";
  return "";
}

bool is_library(std::string_view name) {
  return name.ends_with(".so") || name.find(".so.") != std::string_view::npos;
}

}  // namespace

std::string distrust_library(const std::string& path) {
  std::error_code failure;
  const auto real = fs::canonical(path, failure);
  struct stat file {
  }, folder{};
  if (failure || stat(real.c_str(), &file) != 0) return "";
  if (auto why = about(real.string(), file); !why.empty()) return why;
  const auto parent = real.parent_path();
  if (stat(parent.c_str(), &folder) != 0 || (folder.st_mode & S_IWOTH) == 0 || (folder.st_mode & S_ISVTX) != 0)
    return "";
  return "anybody may replace '" + printable(real.string()) + "' (mode " + mode_text(folder) +
         " of its folder), and its code would run as yours; take that from them: chmod o-w '" +
         printable(parent.string()) + "'";
}

std::string distrust_folder_of_libraries(const std::string& path) {
  std::error_code failure;
  const auto real = fs::canonical(path, failure);
  struct stat info {};
  if (failure || stat(real.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return "";
  if (auto why = about(real.string(), info); !why.empty()) return why;
  for (fs::directory_iterator entry(real, failure), end; !failure && entry != end; entry.increment(failure))
    if (is_library(entry->path().filename().string()))
      if (auto why = distrust_library(entry->path().string()); !why.empty()) return why;
  return "";
}

}  // namespace headrace
