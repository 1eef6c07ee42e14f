// Names of a field's columns.
#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "data/fields/draft.hpp"

namespace headrace::data::fields {

namespace {

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string own_name(const columns::ItemLayout& item, std::size_t column) {
  const auto& name = item.columns[column].name;
  if (!name.empty()) return name;
  if (item.picked) {
    auto number = item.columns[column].path;
    std::replace(number.begin(), number.end(), '.', '_');
    return last_part(item.path) + "_" + number;
  }
  return item.columns.size() == 1 ? last_part(item.path) : last_part(item.path) + "_" + std::to_string(column);
}

}  // namespace

std::string singular(const std::string& path) {
  auto name = last_part(path);
  if (name.size() > 1 && name.back() == 's') name.pop_back();
  return name;
}

std::vector<std::string> column_names(const FieldDraft& draft) {
  struct Name {
    std::string text, prefix;
    bool prefixed;
  };
  std::vector<Name> names;
  std::map<std::string, int> uses;
  for (const auto& item : draft.items)
    for (std::size_t i = 0; i < item.columns.size(); ++i) {
      const bool named = !item.columns[i].name.empty() && item.path != item.columns[i].name;
      const auto prefix = named ? singular(item.path) + "_" : "";
      const bool prefixed = named && is_repeated(draft, item);
      names.push_back({(prefixed ? prefix : "") + own_name(item, i), prefix, prefixed});
      ++uses[names.back().text];
    }
  std::vector<std::string> texts;
  std::map<std::string, int> finals;
  for (const auto& name : names) {
    const bool twice = uses[name.text] > 1 && !name.prefixed;
    texts.push_back((twice ? name.prefix : "") + name.text);
    if (++finals[texts.back()] > 1)
      throw UsageError("column '" + texts.back() + "' comes twice in source; name it once");
  }
  return texts;
}

}  // namespace headrace::data::fields
