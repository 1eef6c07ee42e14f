#include "catalog/files.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <cerrno>
#include <filesystem>
#include <set>

#include "base/error.hpp"

namespace headrace::catalog {

namespace {

thread_local std::string what_glob_missed;  // glob() hands nothing to whom it calls

/// Of a folder that glob() cannot look into. A file where a pattern has a folder is none that was meant.
int note_missed(const char* folder, int error) {
  if (error == ENOTDIR || error == ENOENT) return 0;
  what_glob_missed = errno_text(folder, error);
  return 1;
}

std::vector<std::string> matches(const std::string& pattern) {
  std::error_code ignored;
  if (pattern.find_first_of("*?[") == std::string::npos || std::filesystem::exists(pattern, ignored)) return {pattern};
  glob_t found{};
  what_glob_missed.clear();
  const int status = ::glob(pattern.c_str(), 0, note_missed, &found);
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (status == GLOB_NOMATCH || (status == 0 && paths.empty()))
    throw UsageError(
        fmt::format("no file matches '{}' (in {})", pattern, std::filesystem::current_path(ignored).string()));
  if (status != 0)
    throw UsageError(fmt::format("cannot look for files that match '{}' ({}); see to it that it can be read, or leave it out "
                                 "of the pattern",
                                 pattern, what_glob_missed.empty() ? "no memory" : what_glob_missed));
  return paths;
}

}  // namespace

std::vector<std::string> expand_files(const std::vector<std::string>& patterns) {
  if (patterns.empty()) throw UsageError("no files given; name HDF5 files or patterns such as data/*.h5");
  std::vector<std::string> files;
  std::set<std::string> seen;
  for (const auto& pattern : patterns)
    for (auto& path : matches(pattern)) {
      std::error_code ignored;
      const auto real = std::filesystem::weakly_canonical(path, ignored).string();
      if (!seen.insert(real.empty() ? path : real).second)
        throw UsageError(fmt::format("file {} is named twice (the second time by '{}'); its samples would come twice",
                                     path, pattern));
      files.push_back(std::move(path));
    }
  return files;
}

}  // namespace headrace::catalog
