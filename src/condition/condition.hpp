// Conditions on the samples of a data set: "jets.pt > 20e3 && abs(jets.eta) < 2.5". The language is told in
// docs/reference/streams.md (Conditions).
//
// Immutable once parsed; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "condition/column_values.hpp"

namespace headrace::condition {

class Condition {
 public:
  /// Throws UsageError that shows the place in the text: what is wrong there, what could stand there.
  static Condition parse(std::string_view text);

  /// That the column is one of these values, written as the user has them. What they are the column decides: of one of
  /// texts they are texts, however they look, of one of numbers numbers, and true and false are 1 and 0. Throws UsageError
  /// where `column` is not one.
  static Condition of_values(std::string_view column, const std::vector<std::string>& values);

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
