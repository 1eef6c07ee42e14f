#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "inventory/table.hpp"

namespace headrace::inventory {

namespace {

constexpr std::string_view file_scheme = "file://";

bool has_scheme(std::string_view path) {
  return path.starts_with("http://") || path.starts_with("https://");
}

constexpr std::string_view in_no_url = "\"<>\\^`{|}";
/// What would end a path, begin a query or stand for another character; and what parts or joins values of a query.
constexpr std::string_view signs_of_paths = "#%?", signs_of_queries = "#%?&+";

/// What no URL may hold as it is, and these signs.
void add_escaped(std::string_view text, std::string_view signs, std::string& to) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte > 0x20 && byte < 0x7f && in_no_url.find(c) == std::string_view::npos;
    if (plain && signs.find(c) == std::string_view::npos)
      to += c;
    else
      to += fmt::format("%{:02X}", byte);
  }
}

}  // namespace

PathTemplate::PathTemplate(const std::string& path, const Table& table) {
  folder_ = table.folder();
  std::size_t from = 0;
  while (from <= path.size()) {
    const auto open = std::min(path.find('{', from), path.size());
    between_.push_back(path.substr(from, open - from));
    if (open == path.size()) break;
    const auto close = path.find('}', open);
    columns_.push_back(table.column(path.substr(open + 1, close - open - 1)));
    from = close + 1;
  }
  url_ = has_scheme(between_[0]) || (between_[0].empty() && !columns_.empty() && has_scheme(table.at(0, columns_[0])));
}

void PathTemplate::make(const Table& table, std::size_t row, std::string& path) const {
  path.clear();
  const auto first =
      between_[0].empty() && !columns_.empty() ? table.at(row, columns_[0]) : std::string_view(between_[0]);
  const bool file = first.starts_with(file_scheme);
  if (url_ != has_scheme(first))
    throw Error(fmt::format("some paths are URLs and others are not (as that of {}); make two inventories of them",
                            table.place(row)));
  if (!url_ && !file && !first.starts_with('/')) path = folder_;
  path += between_[0];
  // A cell that begins the URL, or is its host, may hold more of it; behind a host, cells are names.
  bool names = url_ && between_[0].find("://") + 3 < between_[0].size();
  bool query = false;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    query = query || between_[c].find('?') != std::string::npos;
    if (url_)
      add_escaped(table.at(row, columns_[c]), !names ? "" : query ? signs_of_queries : signs_of_paths, path);
    else
      path += table.at(row, columns_[c]);
    path += between_[c + 1];
    names = names || (url_ && between_[c + 1].find('/') != std::string::npos);
  }
  if (!file) return;
  path.erase(0, file_scheme.size());
  if (path.starts_with("localhost/")) path.erase(0, 9);
  namespace fs = std::filesystem;
  const auto base = fs::absolute(folder_.empty() ? "." : folder_).lexically_normal().string();
  const auto there = fs::absolute(path).lexically_normal().string();
  if (!there.starts_with(base.ends_with('/') ? base : base + "/"))
    throw Error(fmt::format("file://{} leads out of the table's folder ({}); name such files without file://",
                            printable(path), table.place(row)));
}

}  // namespace headrace::inventory
