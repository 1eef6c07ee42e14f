// The small part of Python's notation that .npy headers are written in: {'descr': '<f4', 'shape': (28, 28), }. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::inventory {

struct Literal {
  enum class Kind { text, number, list, dict } kind = Kind::number;
  std::string text;
  std::int64_t number = 0;     ///< also True and False
  std::vector<Literal> items;  ///< of lists and tuples; of a dictionary, key after value after key

  const Literal* find(std::string_view key) const;  ///< in a dictionary; or nullptr
};

/// Throws Error for anything else, and for what is nested deeper than headers are.
Literal parse_literal(std::string_view text);

}  // namespace headrace::inventory
