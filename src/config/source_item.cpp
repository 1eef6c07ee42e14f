#include "config/source_item.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace headrace::config {

namespace {

std::string trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(" \t") - from + 1));
}

bool is_quote(char c) {
  return c == '`' || c == '"';
}

class ItemParser {
 public:
  explicit ItemParser(std::string_view text) : text_(text), left_(trimmed(text)) {}

  SourceItem item() {
    read_path();
    if (at_ < left_.size()) read_columns();
    const auto slashes = std::min(item_.path.find_first_not_of('/'), item_.path.size());
    item_.path.erase(0, slashes);
    if (item_.path.empty()) wrong("it names no dataset");
    for (auto& dot : item_.dots) dot -= slashes;  // they stand behind them
    if (!any_quotes_) item_.whole = text_.substr(std::min(text_.find_first_not_of('/'), text_.size()));
    return std::move(item_);
  }

 private:
  /// Up to the brackets or the end.
  void read_path() {
    std::size_t kept = 0;  // what quotes hold keeps its blanks
    for (bool begins = true; at_ < left_.size(); ++at_) {
      const char c = left_[at_];
      if (begins && is_quote(c)) {
        item_.path += quoted();
        item_.quoted = true;
        kept = item_.path.size();
        begins = false;
        continue;
      }
      if (c == '[') break;
      if (c == ']') brackets_do_not_match();
      if (c == '.') item_.dots.push_back(item_.path.size());
      begins = c == '/' || c == '.';
      item_.path += c;
    }
    const auto end = item_.path.find_last_not_of(" \t");
    item_.path.resize(std::max(kept, end == std::string::npos ? 0 : end + 1));
  }

  void read_columns() {
    item_.bracketed = true;
    do {
      ++at_;  // the bracket, or a comma
      auto column = read_column();
      if (column.empty()) wrong("a column has no name");
      if (std::find(item_.columns.begin(), item_.columns.end(), column) != item_.columns.end())
        wrong("column '" + column + "' stands there twice");
      item_.columns.push_back(std::move(column));
    } while (left_[at_] == ',');
    if (at_ + 1 != left_.size()) brackets_do_not_match();
  }

  /// Up to a comma or the closing bracket, on which it leaves at_.
  std::string read_column() {
    std::string column;
    bool in_quotes = false;
    for (; at_ < left_.size(); ++at_) {
      const char c = left_[at_];
      if (c == ',' || c == ']') return in_quotes ? column : trimmed(column);
      if (c == '[') break;
      if (is_quote(c) && trimmed(column).empty()) {
        column = quoted();
        in_quotes = true;
      } else if (!in_quotes || (c != ' ' && c != '\t')) {
        column += c;
      }
    }
    brackets_do_not_match();
  }

  /// What stands between the quotes at at_, which is then at the closing one.
  std::string quoted() {
    const auto end = left_.find(left_[at_], at_ + 1);
    if (end == std::string::npos) wrong(std::string("a quoted name has no end; close it with ") + left_[at_]);
    if (end == at_ + 1) wrong("a quoted name is empty");
    any_quotes_ = true;
    auto name = left_.substr(at_ + 1, end - at_ - 1);
    at_ = end;
    return name;
  }

  [[noreturn]] void brackets_do_not_match() const {
    if (any_quotes_) wrong("its brackets do not match");
    wrong("its brackets do not match; a name that holds such signs stands in backquotes: `" + left_ + "`");
  }

  [[noreturn]] void wrong(const std::string& why) const {
    throw UsageError("'" + std::string(text_) + "' is not a source (" + why +
                     "); write path, path.column or path[column, ...]");
  }

  std::string_view text_;
  std::string left_;
  std::size_t at_ = 0;
  bool any_quotes_ = false;
  SourceItem item_;
};

}  // namespace

SourceItem SourceItem::parse(std::string_view text) {
  return ItemParser(text).item();
}

std::string plain_name(const std::string& text, const std::function<bool(const std::string&)>& has) {
  const auto item = SourceItem::parse(text);
  if (!item.whole.empty() && has(item.whole)) return item.whole;
  if (!item.bracketed) return item.path;
  return item.columns.size() == 1 ? item.path + "." + item.columns[0] : text;
}

std::string as_item(const std::string& path) {
  const bool plain = path.find_first_of("[]`\",") == std::string::npos && path == trimmed(path);
  if (plain) return path;
  const char quote = path.find('`') == std::string::npos ? '`' : '"';
  return quote + path + quote;
}

}  // namespace headrace::config
