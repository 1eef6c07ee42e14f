#include "config/value.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/bytes.hpp"

namespace headrace::config {

void reject(const Value& value, std::string_view allowed) {
  throw UsageError(value.shown + " is not " + std::string(allowed));
}

void reject_word(const Value& value, const std::vector<std::string>& allowed) {
  std::string text = "one of ";
  for (std::size_t i = 0; i < allowed.size(); ++i) text += (i > 0 ? ", " : "") + allowed[i];
  const auto meant = nearest(value.text(), allowed);
  reject(value, meant.empty() ? text : text + "; did you mean '" + meant + "'?");
}

std::uint64_t whole(const Value& value, std::uint64_t least, std::uint64_t most) {
  const auto& text = value.text();
  std::uint64_t number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status == std::errc{} && rest == text.data() + text.size() && number >= least && number <= most) return number;
  std::string allowed = "a whole number";
  if (most != UINT64_MAX)
    allowed += " from " + std::to_string(least) + " to " + std::to_string(most);
  else
    allowed += ", " + std::to_string(least) + " or more";
  reject(value, allowed);
}

std::uint64_t bytes(const Value& value) {
  const auto& text = value.text();
  double number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status == std::errc{} && rest == text.data() + text.size() && number != std::floor(number))
    reject(value, "a whole number of bytes, or one with a unit, as in 1.5GiB");  // half a byte is none
  try {
    return parse_bytes(value.text(), value.shown);
  } catch (const UsageError&) {
    reject(value, "a size: a number with an optional unit, as in 4096, 69KB or 1.5GiB");
  }
}

double seconds(const Value& value) {
  const auto& text = value.text();
  double number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  const double factor = unit.empty() || unit == "s" ? 1
                        : unit == "m"               ? 60
                        : unit == "h"               ? 3600
                        : unit == "ms"              ? 1e-3
                                                    : 0;
  if (status == std::errc{} && std::isfinite(number) && number >= 0 && factor > 0) return number * factor;
  reject(value, "a time: seconds, or a number with ms, s, m or h, as in 120, 2.5s or 20m");
}

std::int64_t integer(const Value& value) {
  const auto& text = value.text();
  std::int64_t number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status == std::errc{} && rest == text.data() + text.size()) return number;
  reject(value, "a whole number");
}

bool yes(const Value& value) {
  for (const auto* word : {"true", "yes", "on", "1"})
    if (value.text() == word) return true;
  for (const auto* word : {"false", "no", "off", "0"})
    if (value.text() == word) return false;
  reject(value, "true or false");
}

std::string service_name(const Value& value) {
  const auto& text = value.text();
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  // With a dot begin names that are in no list (ipc/address.cpp).
  if (!text.empty() && text.size() <= 64 && text[0] != '.' && std::all_of(text.begin(), text.end(), fits)) return text;
  reject(value, "a service name: 1 to 64 letters, digits, '.', '_' or '-', the first no '.'");
}

std::pair<int, int> ranks(const Value& value) {
  const auto& text = value.text();
  const char* const end = text.data() + text.size();
  int first = -1, last = -1;
  auto read = std::from_chars(text.data(), end, first);
  last = first;
  if (read.ec == std::errc{} && read.ptr != end && *read.ptr == '-') read = std::from_chars(read.ptr + 1, end, last);
  if (read.ec == std::errc{} && read.ptr == end && first >= 0 && last >= first) return {first, last};
  reject(value, "a range of ranks, first and last, as in 0-3");
}

Environment environment() {
  Environment variables;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    if (const auto equals = text.find('='); equals != std::string_view::npos)
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::string expand(std::string_view text, const Environment& variables, const std::string& shown) {
  std::string result;
  while (true) {
    const auto start = text.find("${");
    result += text.substr(0, start);
    if (start == std::string_view::npos) return result;
    const bool escaped = start > 0 && text[start - 1] == '$';  // $${
    text.remove_prefix(start + 2);
    if (escaped) {
      result += '{';
      continue;
    }
    const auto end = text.find('}');
    if (end == std::string_view::npos)
      throw UsageError(shown + ": '${' has no closing '}'; write ${NAME}, or $${ for the characters themselves");
    const std::string name(text.substr(0, end));
    const auto variable = variables.find(name);
    if (variable == variables.end())
      throw UsageError(shown + ": environment variable '" + name +
                       "' is not set; export it, or write the value itself");
    result += variable->second;
    text.remove_prefix(end + 1);
  }
}

void Mistakes::add(std::string message) {
  if (std::find(messages_.begin(), messages_.end(), message) == messages_.end())
    messages_.push_back(std::move(message));
}

void Mistakes::add(std::string message, KeyPlace where) {
  add(std::move(message));
  places_.insert(std::move(where));
}

bool Mistakes::wrong(const KeyPlace& where) const {
  const auto at = places_.lower_bound(where);  // places of a section stand together, the one without a key first
  if (at == places_.end()) return false;
  return where.key.empty() ? at->kind == where.kind && at->section == where.section : *at == where;
}

void Mistakes::throw_if_any() const {
  if (messages_.empty()) return;
  if (messages_.size() == 1) throw UsageError(messages_.front());
  std::string all = std::to_string(messages_.size()) + " mistakes:";
  for (const auto& message : messages_) all += "\n  " + message;
  throw UsageError(all);
}

std::string nonempty(const Value& value, std::string_view allowed) {
  if (value.text().empty()) reject(value, allowed);
  return value.text();
}

std::string trimmed(const std::string& text) {
  const auto from = text.find_first_not_of(' ');
  return from == std::string::npos ? "" : text.substr(from, text.find_last_not_of(' ') - from + 1);
}

}  // namespace headrace::config
