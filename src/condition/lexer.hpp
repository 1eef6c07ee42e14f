// The words of a condition. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "condition/text.hpp"

namespace headrace::condition {

struct Token {
  enum class Kind {
    number,  ///< digits as written, underscores removed
    text,    ///< between quotes, without them
    name,    ///< a column, a function or a word such as `and`; backquotes removed
    sign,    ///< one of == != < <= > >= + - * / % && || ! ( ) ,
    end,
  } kind;
  Place place;
  std::string value;
  bool quoted = false;  ///< a name with backquotes: never a word such as `and`

  bool is_sign(std::string_view sign) const { return kind == Kind::sign && value == sign; }
  bool is_word(std::string_view word) const { return kind == Kind::name && !quoted && value == word; }
};

/// The last one is `end`. Throws UsageError.
std::vector<Token> tokens(std::string_view text);

}  // namespace headrace::condition
