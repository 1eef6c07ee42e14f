#include "catalog/conventions.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace headrace::catalog {

namespace {

// As they begin; versions follow behind a dash, a blank or nothing.
constexpr std::array<std::string_view, 16> packing{"cf",       "coards",  "acdd", "nug",   "nuwg", "gdt",
                                                   "ugrid",    "sgrid",   "imos", "argo",  "cmip", "cordex",
                                                   "cfradial", "unidata", "gds",  "ghrsst"};

bool is_name(std::string_view word) {
  return std::any_of(packing.begin(), packing.end(), [&](std::string_view name) {
    if (!word.starts_with(name)) return false;
    const auto rest = word.substr(name.size());
    return rest.empty() || std::isalpha(static_cast<unsigned char>(rest.front())) == 0;
  });
}

}  // namespace

std::string conventions_text(const std::vector<std::string>& texts) {
  const bool letters = texts.size() > 1 && std::all_of(texts.begin(), texts.end(),
                                                       [](const std::string& text) { return text.size() <= 1; });
  std::string all;
  for (const auto& text : texts) all += (all.empty() || letters ? "" : ", ") + text;
  return all;
}

bool implies_packing(const std::string& conventions) {
  std::string word;
  for (const char c : conventions + " ") {
    const bool separates = c == ',' || c == ';' || c == '/' || std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!separates) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      continue;
    }
    if (is_name(word)) return true;
    word.clear();
  }
  return false;
}

}  // namespace headrace::catalog
