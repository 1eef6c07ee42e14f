#include "inventory/decoders/npy_literal.hpp"

#include <charconv>

#include "base/error.hpp"

namespace headrace::inventory {

namespace {

class LiteralParser {
 public:
  explicit LiteralParser(std::string_view text) : text_(text) {}

  Literal whole() {
    auto literal = value(0);
    skip_blanks();
    if (at_ != text_.size()) wrong();
    return literal;
  }

 private:
  [[noreturn]] static void wrong() { throw Error("its header is not what NumPy writes"); }

  void skip_blanks() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Literal value(int depth) {
    constexpr int deepest = 16;
    if (depth > deepest) wrong();
    skip_blanks();
    if (take('{')) return items(Literal::Kind::dict, '}', depth);
    if (take('(')) return items(Literal::Kind::list, ')', depth);
    if (take('[')) return items(Literal::Kind::list, ']', depth);
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) return quoted();
    Literal literal;
    if (take("True")) {
      literal.number = 1;
    } else if (!take("False")) {
      const auto* end = text_.data() + text_.size();
      const auto [rest, status] = std::from_chars(text_.data() + at_, end, literal.number);
      if (status != std::errc{}) wrong();
      at_ = static_cast<std::size_t>(rest - text_.data());
      take("L");  // as Python 2 wrote them
    }
    return literal;
  }

  Literal items(Literal::Kind kind, char end, int depth) {
    Literal literal{.kind = kind, .text = {}, .number = 0, .items = {}};
    while (!take(end)) {
      literal.items.push_back(value(depth + 1));
      if (kind == Literal::Kind::dict) {
        if (!take(':')) wrong();
        literal.items.push_back(value(depth + 1));
      }
      if (!take(',')) {
        if (!take(end)) wrong();
        break;
      }
    }
    return literal;
  }

  Literal quoted() {
    Literal literal{.kind = Literal::Kind::text, .text = {}, .number = 0, .items = {}};
    const char quote = text_[at_++];
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && ++at_ >= text_.size()) wrong();
      literal.text += text_[at_];
    }
    if (at_++ >= text_.size()) wrong();
    return literal;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

const Literal* Literal::find(std::string_view key) const {
  for (std::size_t i = 0; kind == Kind::dict && i + 1 < items.size(); i += 2)
    if (items[i].kind == Kind::text && items[i].text == key) return &items[i + 1];
  return nullptr;
}

Literal parse_literal(std::string_view text) {
  return LiteralParser(text).whole();
}

}  // namespace headrace::inventory
