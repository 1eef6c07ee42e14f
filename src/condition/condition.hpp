// Conditions on the samples of a data set: "jets.pt > 20e3 && abs(jets.eta) < 2.5".
//
//   comparison  == != < <= > >=        in (0, 4, 5)      not in (...)      a < b < c is a < b && b < c
//   arithmetic  + - * / %              abs(x) isnan(x)
//   logic       && || !                and or not        parentheses
//   columns     dataset.column, dataset (no columns), `quoted path`.column where a name needs it
//   constants   20, 2.5e3, 1_000, true, false, nan, inf, "text" or 'text' (compared with == != in only)
//   dates       2020-01-01 (digits 4-2-2 without spaces) is refused: it would be 2018. Texts stand in quotes; for the
//               difference write 2020 - 01 - 01
//
// Strongest first: * / %, then + -, comparisons, ! and not (so !a == b is !(a == b)), && and and, || and or.
// Names: letters, digits, _ and . and /, where / stands before a letter: a/b is a path, a / b and a/2 are divisions.
// A column of flags (bools, or integers that are all 0 or 1) is a condition as it stands: !jets.ok && jets.pt > 20.
//
// Integers stay integers: sums and products are exact in 128 bits and an error beyond (1.7e38); comparisons are exact
// between all kinds of number; / is a true division in float64; % has the sign of the divisor, as in Python and NumPy;
// x / 0 is inf or nan and x % 0 is nan. NaN compares false, != and not in included; ! turns that into true, as with any
// other comparison that is false.
//
// Immutable once parsed; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"

namespace headrace::condition {

/// Values of one column, one per sample.
using ColumnValues =
    std::variant<std::vector<std::int64_t>, std::vector<std::uint64_t>, std::vector<double>, std::vector<std::string>>;

/// A value that the condition cannot be asked about, and whose: the place among the values that were given.
struct ConditionValueError : UsageError {
  ConditionValueError(const std::string& what, std::size_t row_) : UsageError(what), row(row_) {}
  std::size_t row;
};

class Condition {
 public:
  /// Throws UsageError that shows the place in the text: what is wrong there, what could stand there.
  static Condition parse(std::string_view text);

  const std::string& text() const { return text_; }
  /// The columns named, each once, as written but for backquotes: "jets.pt". Which dataset and which column that is,
  /// the caller decides (dataset names may hold dots).
  const std::vector<std::string>& columns() const { return columns_; }

  /// keep[i] = 1 where the condition holds for sample i, else 0. values: as columns(), all of the same length, which
  /// keep gets; a condition without columns fills keep as it comes. Throws UsageError where texts and numbers are mixed
  /// (without any samples too); ConditionValueError where a column alone holds no flags, and where integers grow beyond
  /// 128 bits.
  void evaluate(const std::vector<ColumnValues>& values, std::vector<std::uint8_t>& keep) const;

 private:
  struct Node;
  std::string text_;
  std::vector<std::string> columns_;
  std::shared_ptr<const Node> root_;
};

}  // namespace headrace::condition
