// The values of one part of a condition, for the samples of one block. Private to the evaluator.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "condition/number.hpp"

namespace headrace::condition {

/// Texts stay where they are: those of a column stand side by side, a constant's stands still.
struct Texts {
  const std::string* first = nullptr;
  std::size_t step = 1;
  const std::string& operator[](std::size_t i) const { return first[i * step]; }
};

using Logicals = std::vector<std::uint8_t>;
using Integers = std::vector<Integer>;
using Reals = std::vector<double>;
using Values = std::variant<Logicals, Integers, Reals, Texts>;

inline bool is_text(const Values& values) {
  return std::holds_alternative<Texts>(values);
}

/// The same as doubles. Not for texts.
inline Reals to_reals(Values values) {
  if (auto* reals = std::get_if<Reals>(&values)) return std::move(*reals);
  const auto& integers = std::get<Integers>(values);
  Reals result(integers.size());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = to_real(integers[i]);
  return result;
}

/// Conditions as the numbers 0 and 1; all else stays.
inline Values to_numbers(Values values) {
  if (const auto* logicals = std::get_if<Logicals>(&values)) return Integers(logicals->begin(), logicals->end());
  return values;
}

}  // namespace headrace::condition
