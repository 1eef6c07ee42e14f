#include "inventory/decoders/text_numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/error.hpp"
#include "base/printable.hpp"

namespace headrace::inventory {

namespace {

constexpr std::string_view blanks = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

double number_in(std::string_view word, std::size_t line) {
  double number = 0;
  const auto digits = word.substr(word.size() > 1 && word[0] == '+' && word[1] != '-' ? 1 : 0);
  const auto* end = digits.data() + digits.size();
  const auto [rest, status] = std::from_chars(digits.data(), end, number);
  if (status != std::errc{} || rest != end) {
    const auto shown = word.size() > 40 ? printable(word.substr(0, 40)) + "..." : printable(word);
    throw Error(fmt::format("its line {} holds '{}', which is no number", line, shown));
  }
  return number;
}

/// The numbers of a line; how many.
std::uint64_t read_line(std::string_view text, std::size_t line, std::vector<double>& values) {
  std::uint64_t count = 0;
  const bool commas = text.find_first_of(",;") != std::string_view::npos;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(commas ? ",;" : blanks), text.size());
    values.push_back(number_in(trimmed(text.substr(0, end)), line));
    ++count;
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
    if (!commas) text = trimmed(text);
    if (commas && trimmed(text).empty()) number_in("", line);
  }
  return count;
}

}  // namespace

TextNumbers numbers_in_text(std::span<const std::byte> content) {
  std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  TextNumbers result;
  std::uint64_t rows = 0, columns = 0;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    part = trimmed(part.substr(0, part.find('#')));
    if (part.empty()) continue;
    const auto count = read_line(part, line, result.values);
    if (rows++ > 0 && count != columns)
      throw Error(fmt::format("its line {} holds {} numbers, and those before {}", line, count, columns));
    columns = count;
  }
  if (rows == 0) throw Error("it holds no numbers");
  if (rows > 1) result.shape.push_back(rows);
  if (columns > 1) result.shape.push_back(columns);
  return result;
}

}  // namespace headrace::inventory
