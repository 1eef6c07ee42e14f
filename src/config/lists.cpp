// Values that are numbers, types and lists.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "config/value.hpp"

namespace headrace::config {

std::optional<double> number_in(const std::string& text) {
  double number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  if (status == std::errc{} && rest == end && std::isfinite(number)) return number;
  return std::nullopt;
}

namespace {

/// Whole numbers must not become others: from 2^53 on float64, as which numbers are kept, holds only some of them.
double exact(const Value& value, const std::string& text, double found) {
  const char *first = text.data() + (text[0] == '-' ? 1 : 0), *end = text.data() + text.size();
  std::uint64_t size = 0;
  const auto [rest, status] = std::from_chars(first, end, size);
  if (rest != end || std::fabs(found) < 0x1p53) return found;
  if (status == std::errc{} && std::fabs(found) < 0x1p64 && static_cast<std::uint64_t>(std::fabs(found)) == size)
    return found;
  char nearest[400];
  const std::string shown(nearest,
                          std::to_chars(nearest, nearest + sizeof nearest, found, std::chars_format::fixed).ptr);
  if (shown == text) return found;  // of any length
  reject(value, "a number that float64 holds (the nearest that it does is " + shown + "); give that one");
}

}  // namespace

double number(const Value& value) {
  if (const auto found = number_in(value.text())) return exact(value, value.text(), *found);
  reject(value, "a finite number");
}

std::vector<double> numbers(const Value& value) {
  std::vector<double> all;
  for (const auto& text : value.texts) {
    const auto found = number_in(text);
    if (!found) reject(value, "a finite number, or a list of such, one per column");
    all.push_back(exact(value, text, *found));
  }
  if (all.empty()) reject(value, "a finite number, or a list of such, one per column");
  return all;
}

std::vector<std::uint64_t> extents(const Value& value) {
  constexpr std::uint64_t most = std::uint64_t{1} << 40;  // products are taken of few of them, and checked
  std::vector<std::uint64_t> all;
  for (const auto& text : value.texts) {
    std::uint64_t extent = 0;
    const auto* end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data(), end, extent);
    if (status != std::errc{} || rest != end || extent == 0 || extent > most)
      reject(value, "a shape: a list of whole numbers, 1 or more each, as in [32, 32, 1]");
    all.push_back(extent);
  }
  if (all.size() > 32) reject(value, "a shape of at most 32 axes");
  return all;
}

DType dtype(const Value& value) {
  if (const auto found = dtype_named(value.text())) return *found;
  std::vector<std::string> all;
  for (const auto type :
       {DType::float16, DType::bfloat16, DType::float32, DType::float64, DType::int8, DType::int16, DType::int32,
        DType::int64, DType::uint8, DType::uint16, DType::uint32, DType::uint64, DType::boolean})
    all.emplace_back(name_of(type));
  reject_word(value, all);
}

std::vector<std::string> names(const Value& value) {
  if (value.texts.empty()) reject(value, "a text, or a list of at least one");
  auto texts = value.texts;
  for (auto text = texts.begin(); text != texts.end(); ++text) {
    // On the command line, backquotes keep the commas of a name together.
    if (text->size() > 2 && text->front() == '`' && text->find('`', 1) == text->size() - 1)
      *text = text->substr(1, text->size() - 2);
    if (text->empty()) reject(value, "a list of texts that are not empty");
    if (std::find(texts.begin(), text, *text) != text)
      throw UsageError(value.shown + " names '" + *text + "' twice; name it once");
  }
  return texts;
}

std::vector<std::string> split_items(std::string_view text) {
  std::vector<std::string> items(1);
  int depth = 0;
  char quote = 0;  // that closes the name we stand in
  char before = ',';
  for (const char c : text) {
    if (c == quote)
      quote = 0;
    else if (quote == 0 && (c == '`' || c == '"') && std::string_view(", [/.").find(before) != std::string_view::npos)
      quote = c;  // where a name can begin
    before = c;
    if (quote == 0 && c == '[') ++depth;
    if (quote == 0 && c == ']' && depth > 0) --depth;
    if (quote == 0 && c == ',' && depth == 0)
      items.emplace_back();
    else
      items.back() += c;
  }
  for (auto& item : items) {
    const auto from = item.find_first_not_of(' ');
    item = from == std::string::npos ? "" : item.substr(from, item.find_last_not_of(' ') - from + 1);
  }
  return items;
}

}  // namespace headrace::config
