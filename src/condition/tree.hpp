// What a condition says, as a tree. Immutable; any thread.
//
// Invariants, which the parser keeps:
//   1 the root is logical or a column, and so are the operands of logic; those of arithmetic and of < are not logical,
//     nor are they texts
//   2 no tree is higher than max_height, so that walks over it may recurse
//   3 what a column holds, numbers, flags or texts, is not known before evaluation
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "condition/number.hpp"
#include "condition/text.hpp"

namespace headrace::condition {

constexpr std::size_t max_height = 200;

enum class Operation {
  constant,
  column,
  negative,
  absolute,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  equal,
  unequal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  not_in,
  written,
  is_nan,
  all,
  any,
  negation,
};

/// What a part is worth. A column may turn out to be either number, flag or text.
enum class Worth { logical, number, text, column };

using Constant = std::variant<bool, Integer, double, std::string>;

/// The list of `in`: each sorted, none twice. Whole numbers are integers, however they were written; NaN equals
/// nothing.
struct Set {
  std::vector<Integer> integers;
  std::vector<double> reals;
  std::vector<std::string> texts;
  bool has_nan = false;
};

struct Expression {
  Operation operation;
  Worth worth;
  Place place;
  std::vector<std::shared_ptr<const Expression>> parts{};
  Constant value{};                  ///< of a constant; of written: the first that is no number, as a text
  std::size_t column = 0;            ///< place in Condition::columns()
  std::shared_ptr<const Set> set{};  ///< of in, not_in, written
  std::size_t height = 1;
};

using ExpressionPointer = std::shared_ptr<const Expression>;

}  // namespace headrace::condition
