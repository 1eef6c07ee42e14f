#include "catalog/source.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/reading_note.hpp"
#include "catalog/file_print.hpp"
#include "catalog/serialise.hpp"

namespace headrace::catalog {

namespace {

std::string folders_of(const std::vector<std::string>& candidates) {
  std::vector<std::string> folders;
  std::error_code ignored;
  for (const auto& candidate : candidates) {
    auto folder = std::filesystem::absolute(candidate, ignored).lexically_normal().parent_path().string();
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.push_back(std::move(folder));
  }
  return fmt::format("{}", fmt::join(folders, ", "));
}

}  // namespace

Source look_for(const Ask& ask, h5::Depth depth) {
  const auto candidates = h5::source_candidates(ask.home, ask.name);
  Source source;
  std::error_code ignored;
  for (const auto& candidate : candidates) try {
      const auto note = ReadingNote::of_file(candidate);
      const auto file = h5::open_file(candidate);
      const auto print = print_of(candidate);
      source.file = {.path = candidate, .bytes = print.bytes, .mtime_ns = print.mtime_ns, .head = print.head};
      for (const auto& path : ask.datasets) source.file.datasets.push_back(h5::describe_dataset(file, path, depth));
      source.why.clear();
      return source;
    } catch (const Error& error) {
      if (source.why.empty() && std::filesystem::exists(candidate, ignored)) source.why = error.what();
    }
  if (source.why.empty()) source.why = "no such file in " + folders_of(candidates);
  return source;
}

std::string pack(const Source& source) {
  return std::string(source.why.empty() ? "+" : "-") + (source.why.empty() ? pack(source.file) : source.why);
}

Source unpack_source(const std::string& text) {
  Source source;
  if (text.starts_with('+'))
    source.file = unpack(text.substr(1));
  else
    source.why = text.substr(1);
  return source;
}

}  // namespace headrace::catalog
