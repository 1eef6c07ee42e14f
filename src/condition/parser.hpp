// From a condition's text to its tree. Pure.
//
//   any         all { (|| | or) all }
//   all         negation { (&& | and) negation }
//   negation    { ! | not } comparison              so !a == b is !(a == b), as with not in Python
//   comparison  sum { (== | != | < | <= | > | >=) sum } | sum [not] in ( constant, ... )
//   sum         product { (+ | -) product }
//   product     sign { (* | / | %) sign }
//   sign        { - | + } value
//   value       number | text | true | false | nan | inf | column | abs(any) | isnan(any) | ( any )
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "condition/tree.hpp"

namespace headrace::condition {

struct Parsed {
  ExpressionPointer root;
  std::vector<std::string> columns;
};

/// Throws UsageError.
Parsed parse(std::string_view text);

}  // namespace headrace::condition
