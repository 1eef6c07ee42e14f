#include "service/source_item.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "service/cells.hpp"

namespace headrace::service {

namespace {

std::string trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(" \t") - from + 1));
}

[[noreturn]] void not_an_item(std::string_view text, std::string_view why) {
  throw UsageError("'" + std::string(text) + "' is not a source (" + std::string(why) +
                   "); write path, path.column or path[column, ...]");
}

std::vector<std::string> columns_in(std::string_view list, std::string_view text) {
  std::vector<std::string> columns;
  while (true) {
    const auto comma = list.find(',');
    auto column = trimmed(list.substr(0, comma));
    if (column.empty()) not_an_item(text, "a column has no name");
    if (std::find(columns.begin(), columns.end(), column) != columns.end())
      not_an_item(text, "column '" + column + "' stands there twice");
    columns.push_back(std::move(column));
    if (comma == std::string_view::npos) return columns;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

SourceItem SourceItem::parse(std::string_view text) {
  SourceItem item;
  const auto whole = trimmed(text);
  const auto open = whole.find('[');
  const auto close = whole.find(']');
  item.bracketed = open != std::string::npos;
  if (item.bracketed ? close != whole.size() - 1 || whole.rfind('[') != open : close != std::string::npos)
    not_an_item(text, "its brackets do not match");
  if (item.bracketed) item.columns = columns_in(std::string_view(whole).substr(open + 1, close - open - 1), text);
  item.path = trimmed(std::string_view(whole).substr(0, open));
  item.path.erase(0, item.path.find_first_not_of('/'));
  if (item.path.empty()) not_an_item(text, "it names no dataset");
  return item;
}

FoundItem find_item(const SourceItem& item, const std::vector<std::string>& datasets) {
  const auto there = [&](const std::string& path) {
    return std::find(datasets.begin(), datasets.end(), path) != datasets.end();
  };
  if (there(item.path)) return {item.path, item.columns, item.bracketed};
  for (auto dot = item.path.rfind('.'); !item.bracketed && dot != std::string::npos && dot > 0;
       dot = item.path.rfind('.', dot - 1))
    if (dot + 1 < item.path.size() && there(item.path.substr(0, dot)))
      return {item.path.substr(0, dot), {item.path.substr(dot + 1)}, false};
  throw UsageError("no dataset '" + item.path + "'" + dataset_meant(item.path, datasets));
}

}  // namespace headrace::service
