#include "inventory/decoders/text_numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/error.hpp"
#include "base/printable.hpp"

namespace headrace::inventory {

namespace {

constexpr std::string_view blanks = " \t\r\v\f";

/// What a number becomes that no double holds: 0 or infinity, by the place of its first digit.
double beyond(std::string_view digits) {
  const bool negative = digits[0] == '-';
  digits.remove_prefix(negative ? 1 : 0);
  const auto mantissa = digits.substr(0, digits.find_first_of("eE"));
  const auto point = std::min(mantissa.find('.'), mantissa.size());
  const auto first = mantissa.find_first_of("123456789");
  std::int64_t exponent = 0;
  if (mantissa.size() < digits.size()) {
    auto text = digits.substr(mantissa.size() + 1);
    text.remove_prefix(text[0] == '+' ? 1 : 0);
    constexpr std::int64_t far = 1'000'000'000'000;
    if (std::from_chars(text.data(), text.data() + text.size(), exponent).ec != std::errc{})
      exponent = text[0] == '-' ? -far : far;
  }
  const auto place = exponent + static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  const double size = place > 0 ? std::numeric_limits<double>::infinity() : 0;
  return negative ? -size : size;
}

double number_in(std::string_view word, std::size_t line) {
  if (const auto number = number_of(word)) return *number;
  const auto shown = word.size() > 40 ? printable(word.substr(0, 40)) + "..." : printable(word);
  throw Error(fmt::format("its line {} holds '{}', which is no number", line, shown));
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

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::optional<double> number_of(std::string_view word) {
  double number = 0;
  const auto digits = word.substr(word.size() > 1 && word[0] == '+' && word[1] != '-' ? 1 : 0);
  const auto* end = digits.data() + digits.size();
  const auto [rest, status] = std::from_chars(digits.data(), end, number);
  if (rest != end) return std::nullopt;
  if (status == std::errc::result_out_of_range) return beyond(digits);
  return status == std::errc{} ? std::optional(number) : std::nullopt;
}

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
