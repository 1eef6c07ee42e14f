#include "commands/inspect/fold.hpp"

#include <fmt/format.h>

#include <unordered_map>

namespace headrace::commands::inspect {

namespace {

/// Each run of digits as one sign.
std::string without_numbers(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && !text.empty() && text.back() == '\x01') continue;
    text += digit ? '\x01' : c;
  }
  return text;
}

}  // namespace

std::vector<Fold> folds_of(const std::vector<std::string>& names, const std::vector<std::string>& rest,
                           std::size_t few) {
  std::vector<Fold> folds;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto key = names.size() <= few ? std::to_string(i) : without_numbers(names[i]) + '\n' + rest[i];
    const auto [at, fresh] = places.emplace(key, folds.size());
    if (fresh) {
      folds.push_back({i, i, 1});
    } else {
      folds[at->second].last = i;
      ++folds[at->second].count;
    }
  }
  return folds;
}

std::string name_of(const Fold& fold, const std::vector<std::string>& names) {
  if (fold.count == 1) return names[fold.first];
  return fmt::format("{} ... {} ({})", names[fold.first], names[fold.last], fold.count);
}

std::vector<std::string> folded_names(const std::vector<std::string>& names, bool all) {
  if (all || names.size() <= few_names) return names;
  std::vector<std::string> told;
  std::size_t items = 0;
  for (const auto& fold : folds_of(names, std::vector<std::string>(names.size()), few_names)) {
    if (told.size() == few_names) break;
    told.push_back(name_of(fold, names));
    items += fold.count;
  }
  if (items < names.size()) told.push_back(fmt::format("and {} more", names.size() - items));
  return told;
}

}  // namespace headrace::commands::inspect
