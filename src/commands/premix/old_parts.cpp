#include "commands/premix/old_parts.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "h5/made/written.hpp"

namespace headrace::commands::premix {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t least_digits = 4;

std::vector<std::string> names_in(const std::string& json) {
  const auto there = nlohmann::json::parse(json, nullptr, false);
  std::vector<std::string> names;
  if (there.is_array())
    for (const auto& name : there)
      if (name.is_string()) names.push_back(name.get<std::string>());
  return names;
}

/// STEM.NUMBER.EXTENSION, beside the file: whatever else stands in a list is none of ours.
bool is_name_of_part(const std::string& path, const std::string& name) {
  const auto begin = fs::path(path).stem().string() + ".", end = fs::path(path).extension().string();
  if (name.size() < begin.size() + end.size() + least_digits || !name.starts_with(begin) || !name.ends_with(end))
    return false;
  const auto number = name.substr(begin.size(), name.size() - begin.size() - end.size());
  return number.find_first_not_of("0123456789") == std::string::npos;
}

bool is_of_premix(const std::string& path) {
  try {
    return h5::WrittenFile(path).number("complete") == 1;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::string text_of_parts(const std::vector<std::string>& names) {
  return nlohmann::json(names).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> parts_joined_by(const std::string& path) {
  if (!fs::is_regular_file(path)) return {};
  try {
    return names_in(h5::WrittenFile(path).text("parts").value_or(""));
  } catch (const Error&) {
    return {};
  }
}

std::vector<std::string> old_parts_of(const std::string& path) {
  const auto part = formats::part_of(path);
  auto told = parts_joined_by(path);
  for (const auto& journal : {part, part + ".old"}) {
    const auto facts = formats::read_facts(journal);
    const auto fact = facts.find(parts_fact);
    if (fact == facts.end()) continue;
    const auto names = names_in(fact->second);
    told.insert(told.end(), names.begin(), names.end());
  }
  std::set<std::string> own;
  for (const auto& name : told)
    if (is_name_of_part(path, name)) own.insert(name);
  return {own.begin(), own.end()};
}

std::string beside(const std::string& path, const std::string& name) {
  return (fs::path(path).parent_path() / name).string();
}

std::size_t remove_parts(const std::string& path, const std::vector<std::string>& names) {
  std::size_t removed = 0;
  std::error_code gone;
  for (const auto& name : names) {
    const auto old = beside(path, name), begun = formats::part_of(old);
    if (formats::has_journal(begun)) {  // also of one that was killed when the file had its name
      fs::remove(begun, gone);
      formats::remove_journal(begun);
    }
    if (is_of_premix(old) && fs::remove(old, gone)) ++removed;
  }
  return removed;
}

}  // namespace headrace::commands::premix
