#include "condition/text.hpp"

#include <algorithm>

namespace headrace::condition {
namespace {

constexpr std::size_t shown_before = 60, shown_from = 60, longest_words = 40;

bool continues_a_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u;
}

/// The nearest place at or before `at` that does not cut a UTF-8 character.
std::size_t whole(std::string_view text, std::size_t at) {
  while (at > 0 && at < text.size() && continues_a_character(text[at])) --at;
  return at;
}

/// On one line, without what would move a terminal's cursor.
std::string printable(std::string_view text) {
  std::string result(text);
  for (auto& c : result)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return result;
}

std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_a_character(c); }));
}

}  // namespace

Place span(Place first, Place last) {
  return {first.begin, last.begin + last.length - first.begin};
}

std::string words(std::string_view text, Place place) {
  if (place.length <= longest_words) return printable(text.substr(place.begin, place.length));
  return printable(text.substr(place.begin, whole(text, place.begin + longest_words) - place.begin)) + "...";
}

UsageError error_at(std::string_view text, Place place, const std::string& what) {
  const auto begin = place.begin <= shown_before ? 0 : whole(text, place.begin - shown_before);
  const auto end = whole(text, std::min(text.size(), place.begin + std::max(shown_from, longest_words)));
  const std::string lead = begin > 0 ? "..." : "";
  const auto marked = text.substr(place.begin, std::min(place.length, std::max(end, place.begin) - place.begin));
  return UsageError("condition: " + what + "\n  " + lead + printable(text.substr(begin, end - begin)) +
                    (end < text.size() ? "..." : "") + "\n  " +
                    std::string(lead.size() + columns(text.substr(begin, place.begin - begin)), ' ') +
                    std::string(std::max<std::size_t>(1, columns(marked)), '^'));
}

ConditionValueError value_error_at(std::string_view text, Place place, const std::string& what, std::size_t row) {
  return {error_at(text, place, what).what(), row};
}

}  // namespace headrace::condition
