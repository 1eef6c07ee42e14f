// Python slices as text.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "plan/selection.hpp"

namespace headrace::plan {

namespace {

constexpr std::int64_t beyond_any = std::int64_t{1} << 62;  // stands for every number too large to be a sample

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw UsageError(
      fmt::format("select: '{}' is not a slice ({}); write first:last or first:last:step, as in :2.8e6, "
                  "-1000: or ::10, several of them separated by commas",
                  text, why));
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Without the underscores that Python allows between two digits; nothing if one stands elsewhere.
std::optional<std::string> without_underscores(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_')
      plain += text[i];
    else if (i == 0 || i + 1 == text.size() || !is_digit(text[i - 1]) || !is_digit(text[i + 1]))
      return std::nullopt;
  }
  return plain;
}

/// A whole number, also as 2.8e6; anything beyond 2^62 counts as 2^62.
std::int64_t parse_whole(std::string_view number, std::string_view slice) {
  const bool negative = number.starts_with('-');
  const auto digits = without_underscores(negative || number.starts_with('+') ? number.substr(1) : number);
  if (!digits || digits->empty() || !(is_digit(digits->front()) || digits->front() == '.'))
    refuse(slice, fmt::format("'{}' is not a number", number));
  const char* const end = digits->data() + digits->size();
  std::int64_t whole = beyond_any;
  if (digits->find_first_not_of("0123456789") == std::string::npos) {
    std::int64_t parsed = 0;
    if (std::from_chars(digits->data(), end, parsed).ec == std::errc{}) whole = std::min(parsed, beyond_any);
  } else {
    double parsed = 0;
    const auto [rest, status] = std::from_chars(digits->data(), end, parsed);
    if (rest != end || status == std::errc::invalid_argument)
      refuse(slice, fmt::format("'{}' is not a number", number));
    if (status == std::errc{} && parsed != std::floor(parsed))
      refuse(slice, fmt::format("'{}' is not a whole number", number));
    // Out of a double's range: 1e-400 is no whole number either, but nobody means it; 1e400 is beyond the end.
    if (status == std::errc{} && parsed < static_cast<double>(beyond_any)) whole = static_cast<std::int64_t>(parsed);
  }
  return negative ? -whole : whole;
}

/// A bound: a whole number, or with a point and between 0 and 1 a fraction of all samples.
std::int64_t parse_bound(std::string_view number, std::string_view slice, std::int64_t samples) {
  const bool negative = number.starts_with('-');
  const auto digits = negative ? number.substr(1) : number;
  double parsed = 0;
  if (digits.find('.') != std::string_view::npos) {
    const auto [rest, status] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed);
    if (status == std::errc{} && rest == digits.data() + digits.size() && parsed >= 0 && parsed <= 1) {
      const auto bound = std::llround(parsed * static_cast<double>(samples));
      // The last zero of them is none, where a plain -0 would be the beginning.
      return !negative ? bound : bound == 0 ? samples : -bound;
    }
  }
  return parse_whole(number, slice);
}

/// A bound as Python places it: negative from the end, never outside 0 .. samples.
std::uint64_t place(std::int64_t bound, std::int64_t samples) {
  if (bound < 0) bound = std::max<std::int64_t>(bound + samples, 0);
  return static_cast<std::uint64_t>(std::min(bound, samples));
}

Range parse_slice(std::string_view slice, std::uint64_t samples) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0;;) {
    const auto colon = slice.find(':', from);
    parts.push_back(trimmed(slice.substr(from, colon == std::string_view::npos ? colon : colon - from)));
    if (colon == std::string_view::npos) break;
    from = colon + 1;
  }
  if (parts.size() < 2) refuse(slice, "it has no colon");
  if (parts.size() > 3) refuse(slice, "it has more than two colons");

  const auto n = static_cast<std::int64_t>(samples);
  Range range{0, samples, 1};
  if (!parts[0].empty()) {
    const auto first = parse_bound(parts[0], slice, n);
    if (first >= n)
      throw UsageError(
          fmt::format("select out of range: '{}' starts beyond the last of {} samples; start below {}, or "
                      "from the end as in -1000:",
                      slice, samples, samples));
    range.first = place(first, n);
  }
  if (!parts[1].empty()) range.last = place(parse_bound(parts[1], slice, n), n);
  if (parts.size() == 3 && !parts[2].empty()) {
    const auto step = parse_whole(parts[2], slice);
    if (step < 1) refuse(slice, "the step must be at least 1");
    range.step = static_cast<std::uint64_t>(step);
  }
  return range;
}

}  // namespace

Selection Selection::parse(std::string_view text, std::uint64_t samples) {
  std::vector<Range> ranges;
  for (std::size_t from = 0;;) {
    const auto comma = text.find(',', from);
    ranges.push_back(
        parse_slice(trimmed(text.substr(from, comma == std::string_view::npos ? comma : comma - from)), samples));
    if (comma == std::string_view::npos) break;
    from = comma + 1;
  }
  auto selection = of(ranges);
  if (selection.size() == 0)
    throw UsageError(
        fmt::format("select: '{}' selects none of {} samples; put the first before the last", text, samples));
  return selection;
}

}  // namespace headrace::plan
