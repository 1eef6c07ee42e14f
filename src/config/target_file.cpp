#include "config/target_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/user_file.hpp"

namespace headrace::config {

namespace {

constexpr double exact = 0x1p53;  // up to here doubles hold all whole numbers

std::string begin_of(const std::string& path) {
  return fmt::format("[resample] target = '{}': ", path);
}

double number_of(const std::string& path, std::string_view word, std::size_t line) {
  double value = 0;
  const auto read = std::from_chars(word.data() + (word.front() == '+'), word.data() + word.size(), value);
  if (read.ec != std::errc() || read.ptr != word.data() + word.size() || !std::isfinite(value) || value < 0)
    throw UsageError(fmt::format("{}line {} has '{}', which is no number from 0 on; write one for each bin",
                                 begin_of(path), line, printable(std::string(word))));
  return value;
}

std::vector<double> numbers_in(const std::string& path, const std::string& text) {
  std::vector<double> all;
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '#') at = std::min(text.find('\n', at), text.size());
    const auto end = std::min(text.find_first_of(" \t\r\n,;#", at), text.size());
    if (end > at) all.push_back(number_of(path, std::string_view(text).substr(at, end - at), line));
    if (end < text.size() && text[end] == '\n') ++line;
    at = end < text.size() && text[end] == '#' ? end : end + 1;
  }
  return all;
}

}  // namespace

std::vector<std::uint64_t> target_file(const std::string& path, std::size_t bins) {
  std::string why;
  const auto text = read_file_of_user(path, why);
  if (!text)
    throw UsageError(
        fmt::format("{}it is neither a class nor a file that can be read ({}); name one of them", begin_of(path), why));
  const auto numbers = numbers_in(path, *text);
  if (numbers.size() != bins)
    throw UsageError(
        fmt::format("{}it has {} numbers, and there are {} bins; write one for each, those of the last "
                    "variable fastest",
                    begin_of(path), numbers.size(), bins));
  const auto sum = std::accumulate(numbers.begin(), numbers.end(), 0.0);
  if (!(sum > 0 && std::isfinite(sum)))
    throw UsageError(fmt::format("{}its numbers add up to {:g}; write how much of the samples each bin is to have",
                                 begin_of(path), sum));
  const bool whole = sum <= exact && std::ranges::all_of(numbers, [](double n) { return n == std::floor(n); });
  std::vector<std::uint64_t> weights;
  for (const auto number : numbers)
    weights.push_back(static_cast<std::uint64_t>(whole ? number : std::round(number / sum * exact)));
  return weights;
}

}  // namespace headrace::config
