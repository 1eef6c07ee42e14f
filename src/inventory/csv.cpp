#include "inventory/csv.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/printable.hpp"

namespace headrace::inventory {

/// Quoted values shrink where they stand, so that every cell is a part of the text.
class CsvReader {
 public:
  CsvReader(Csv& csv, const std::string& name) : csv_(csv), name_(name), text_(*csv.text_) {}

  void read() {
    if (text_.starts_with("\xff\xfe") || text_.starts_with("\xfe\xff"))
      throw Error(name_ + " cannot be read (it is UTF-16); save it as UTF-8");
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    std::vector<std::string_view> values;
    while (at_ < text_.size()) {
      const auto line = line_;
      values.clear();
      read_line(values);
      const bool empty = values.size() == 1 && values[0].empty() && !quoted_;
      if (!empty) take(values, line);
    }
    if (csv_.columns_.empty()) throw Error(name_ + " is empty; its first line names the columns, as in id,target");
  }

 private:
  [[noreturn]] void wrong(std::size_t line, const std::string& what) const {
    throw Error(fmt::format("{}:{}: {}", name_, line, what));
  }

  void take(const std::vector<std::string_view>& values, std::size_t line) {
    for (const auto value : values)
      if (!is_text(value)) wrong(line, fmt::format("'{}' is not UTF-8; save the table as UTF-8", printable(value)));
    if (csv_.columns_.empty()) return take_names(values, line);
    if (values.size() != csv_.columns_.size())
      wrong(line, fmt::format("the line has {} value{} and the header names {} columns; values that hold commas stand "
                              "between quotes",
                              values.size(), values.size() == 1 ? "" : "s", csv_.columns_.size()));
    csv_.cells_.insert(csv_.cells_.end(), values.begin(), values.end());
    csv_.lines_.push_back(static_cast<std::uint32_t>(line));
  }

  void take_names(const std::vector<std::string_view>& values, std::size_t line) {
    for (const auto value : values) {
      if (value.empty()) wrong(line, "a column has no name; the first line names them all");
      if (std::find(csv_.columns_.begin(), csv_.columns_.end(), value) != csv_.columns_.end())
        wrong(line, fmt::format("two columns are named '{}'; name each otherwise", value));
      csv_.columns_.emplace_back(value);
    }
  }

  bool at_end_of_line() const { return at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r'; }

  void skip_end_of_line() {
    ++line_;
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    ++at_;
  }

  void read_line(std::vector<std::string_view>& values) {
    quoted_ = false;
    for (;;) {
      values.push_back(at_ < text_.size() && text_[at_] == '"' ? in_quotes() : bare());
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      if (at_ < text_.size()) skip_end_of_line();
      return;
    }
  }

  std::string_view bare() {
    const auto begin = at_;
    while (!at_end_of_line() && text_[at_] != ',') ++at_;
    return std::string_view(text_).substr(begin, at_ - begin);
  }

  std::string_view in_quotes() {
    const auto line = line_;
    const auto begin = ++at_;
    auto to = begin;
    quoted_ = true;
    for (;; ++at_) {
      if (at_ >= text_.size())
        wrong(line, "a quote is not closed; values end with one more, and quotes in them are doubled");
      if (text_[at_] == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
        ++at_;
      } else if (text_[at_] == '\n') {
        ++line_;
      }
      text_[to++] = text_[at_];
    }
    ++at_;
    if (!at_end_of_line() && text_[at_] != ',')
      wrong(line_, "something follows a closing quote; quotes within a value are doubled");
    return std::string_view(text_).substr(begin, to - begin);
  }

  Csv& csv_;
  const std::string& name_;
  std::string& text_;
  std::size_t at_ = 0, line_ = 1;
  bool quoted_ = false;
};

Csv::Csv(std::string text, const std::string& name) : text_(std::make_unique<std::string>(std::move(text))) {
  CsvReader(*this, name).read();
}

std::string csv_value(std::string_view text) {
  const bool plain = text.find_first_of(",\"\r\n") == std::string_view::npos && !text.empty();
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace headrace::inventory
