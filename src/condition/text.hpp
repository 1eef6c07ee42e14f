// Where in a condition's text something stands, and errors that show it. Plain values; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "condition/column_values.hpp"

namespace headrace::condition {

/// A run of bytes of the text.
struct Place {
  std::size_t begin = 0, length = 0;
};

/// From the beginning of `first` to the end of `last`.
Place span(Place first, Place last);

/// The words themselves, shortened where they are long: for messages.
std::string words(std::string_view text, Place place);

/// The message of error_at, about the value of sample `row` of those evaluated.
ConditionValueError value_error_at(std::string_view text, Place place, const std::string& what, std::size_t row);

/// "condition: WHAT", then the text (around the place, where it is long) and a line with ^^^ under the place.
UsageError error_at(std::string_view text, Place place, const std::string& what);

}  // namespace headrace::condition
