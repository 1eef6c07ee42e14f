// Comparisons of values, sample by sample. Private to the evaluator.
//
// All are made of `less` and `equal`, which are exact between any two kinds of number and false for NaN: so NaN
// compares false, != included.
#pragma once

#include "condition/tree.hpp"
#include "condition/values.hpp"

namespace headrace::condition {

/// Both numbers, or both texts (== and != only).
Logicals compare(Operation operation, const Values& left, const Values& right, std::size_t n);

/// in, not in. The set holds what the values are: texts or numbers.
Logicals member(const Set& set, bool negated, const Values& values, std::size_t n);

}  // namespace headrace::condition
