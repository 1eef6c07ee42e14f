#include "base/error.hpp"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <system_error>

namespace headrace {

std::string errno_text(std::string_view call, int error) {
  return std::string(call) + ": " + std::system_category().message(error);
}

void throw_errno(std::string_view call) {
  throw Error(errno_text(call, errno));
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  std::string text;
  if (const auto best = nearest(name, candidates); !best.empty()) text += "; did you mean '" + best + "'?";
  text += text.empty() ? "; available: " : " (available: ";
  const bool bracket = text.back() == ' ' && text.find('(') != std::string::npos;
  constexpr std::size_t at_most = 64;  // a file may hold thousands
  for (std::size_t i = 0; i < std::min(candidates.size(), at_most); ++i) text += (i ? ", " : "") + candidates[i];
  if (candidates.size() > at_most) text += " and " + std::to_string(candidates.size() - at_most) + " more";
  if (candidates.empty()) text += "none";
  if (bracket) text += ")";
  return text;
}

std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t at_most = 8;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < at_most; ++i) text += (i ? ", " : "") + names[i];
  if (names.size() > at_most) text += " and " + std::to_string(names.size() - at_most) + " more";
  return text;
}

}  // namespace headrace
