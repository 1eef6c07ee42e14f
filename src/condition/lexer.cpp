#include "condition/lexer.hpp"

#include <array>

namespace headrace::condition {
namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// What others write, and what it is called here. Longer ones first.
struct Foreign {
  std::string_view sign, hint;
};
constexpr std::array foreign{
    Foreign{"===", "write == for equal"},
    Foreign{"!==", "write != for unequal"},
    Foreign{"**", "there are no powers; write x * x"},
    Foreign{"<>", "write != for unequal"},
    Foreign{"<<", "there are no shifts"},
    Foreign{">>", "there are no shifts"},
    Foreign{"=<", "write <="},
    Foreign{"=>", "write >="},
    Foreign{"//", "write / for division; there is no rounding one"},
};
constexpr std::array foreign_single{
    Foreign{"=", "write == to compare"},
    Foreign{"&", "write && or 'and'"},
    Foreign{"|", "write || or 'or'"},
    Foreign{"~", "write ! or 'not'"},
    Foreign{"^", "there is no such operator; write != between conditions for exclusive or"},
    Foreign{"[",
            "columns and elements stand behind a dot, as in dataset.column or dataset.3 (lists stand in parentheses, "
            "and names with such signs in `backquotes`)"},
    Foreign{"]", "columns and elements stand behind a dot, as in dataset.3; lists stand in parentheses"},
    Foreign{";", "there is one condition; join several with &&"},
    Foreign{"?", "there is no choice; write && and ||"},
};
constexpr std::array<std::string_view, 17> signs{"==", "!=", "<=", ">=", "&&", "||", "<", ">", "+",
                                                 "-",  "*",  "/",  "%",  "!",  "(",  ")", ","};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> all() {
    for (;;) {
      while (at_ < text_.size() && blank(text_[at_])) ++at_;
      found_.push_back(next());
      if (found_.back().kind == Token::Kind::end) return std::move(found_);
    }
  }

 private:
  Token next() {
    if (at_ == text_.size()) return {Token::Kind::end, {at_, 0}, ""};
    const char c = text_[at_];
    if (digit(c) || (c == '.' && digit(peek(1)))) return number();
    if (c == '"' || c == '\'') return text();
    if (letter(c) || c == '`' || (c == '@' && letter(peek(1))) || (c == '/' && letter(peek(1)) && !after_value()))
      return name();
    return sign();
  }

  char peek(std::size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }

  /// A '/' here divides; elsewhere it begins an absolute path.
  bool after_value() const {
    if (found_.empty()) return false;
    const auto& last = found_.back();
    if (last.kind == Token::Kind::sign) return last.value == ")";
    return !(last.is_word("and") || last.is_word("or") || last.is_word("not") || last.is_word("in"));
  }

  /// 2020-01-01, which would be arithmetic: 2018. Digits 4-2-2 without spaces; with slashes where a zero leads.
  void refuse_date() const {
    const auto digits = [&](std::size_t from, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i)
        if (!digit(peek(from + i))) return false;
      return !digit(peek(from + count));
    };
    const char between = peek(4);
    if (!digits(0, 4) || !digits(5, 2) || !digits(8, 2) || peek(7) != between) return;
    const bool zero_leads = peek(5) == '0' || peek(8) == '0';
    if (between != '-' && !(between == '/' && zero_leads)) return;
    const auto date = std::string(text_.substr(at_, 10));
    throw error_at(text_, {at_, 10},
                   "'" + date +
                       "' looks like a date, and would be arithmetic; columns of texts are compared with one in "
                       "quotes, as in day == \"" +
                       date +
                       "\", columns of numbers with a number (of seconds or days, as the "
                       "file counts them); differences have spaces: " +
                       date.substr(0, 4) + " " + between + " " + date.substr(5, 2) + " " + between + " " +
                       date.substr(8));
  }

  Token number() {
    refuse_date();
    const auto begin = at_;
    std::string value;
    bool exponent = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      const bool sign = exponent && (c == '+' || c == '-');
      if (!digit(c) && !letter(c) && c != '.' && !sign) break;
      exponent = (c == 'e' || c == 'E');
      if (c == '_' && (!digit(text_[at_ - 1]) || !digit(peek(1)))) value += '?';  // not between digits: no number
      if (c != '_') value += c;
    }
    return {Token::Kind::number, {begin, at_ - begin}, value};
  }

  Token text() {
    const auto begin = at_;
    const auto end = text_.find(text_[begin], begin + 1);
    if (end == text_.npos)
      throw error_at(text_, {begin, text_.size() - begin},
                     "a text has no end; close it with " + std::string(1, text_[begin]));
    at_ = end + 1;
    return {Token::Kind::text, {begin, at_ - begin}, std::string(text_.substr(begin + 1, end - begin - 1))};
  }

  Token name() {
    Token token{Token::Kind::name, {at_, 0}, ""};
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '`') {
        quoted_part(token);
        continue;
      }
      const bool joins = c == '.' ? (letter(peek(1)) || digit(peek(1)) || peek(1) == '`') : c == '/' && letter(peek(1));
      const bool begins = c == '@' && at_ == token.place.begin;  // the table of an inventory
      if (!letter(c) && !digit(c) && !joins && !begins) break;
      token.value += c;
    }
    token.place.length = at_ - token.place.begin;
    if (at_ < text_.size() && text_[at_] == '.')
      throw error_at(text_, {at_, 1}, "a name ends with '.'; a column's name follows it, as in dataset.column");
    return token;
  }

  /// Leaves at_ on the closing backquote.
  void quoted_part(Token& token) {
    const auto end = text_.find('`', at_ + 1);
    if (end == text_.npos)
      throw error_at(text_, {at_, text_.size() - at_}, "a quoted name has no end; close it with `");
    if (end == at_ + 1)
      throw error_at(text_, {at_, 2}, "a quoted name is empty; write the dataset's path between the backquotes");
    token.value += text_.substr(at_ + 1, end - at_ - 1);
    token.quoted = true;
    at_ = end;
  }

  Token sign() {
    for (const auto& [sign, hint] : foreign)
      if (starts(sign)) throw unknown(sign.size(), hint);
    for (const auto sign : signs)
      if (starts(sign)) {
        at_ += sign.size();
        return {Token::Kind::sign, {at_ - sign.size(), sign.size()}, std::string(sign)};
      }
    for (const auto& [sign, hint] : foreign_single)
      if (starts(sign)) throw unknown(sign.size(), hint);
    std::size_t length = 1;  // a whole UTF-8 character
    while ((static_cast<unsigned char>(peek(length)) & 0xC0u) == 0x80u) ++length;
    throw unknown(
        length,
        "operators are == != < <= > >= + - * / % && || ! in; names with other characters stand in `backquotes`");
  }

  UsageError unknown(std::size_t length, std::string_view hint) const {
    return error_at(text_, {at_, length},
                    "'" + words(text_, {at_, length}) + "' is not known here; " + std::string(hint));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> found_;
};

}  // namespace

std::vector<Token> tokens(std::string_view text) {
  return Lexer(text).all();
}

}  // namespace headrace::condition
