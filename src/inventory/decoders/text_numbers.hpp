// Numbers in a text, as NumPy's loadtxt reads them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace headrace::inventory {

/// Without blanks around it.
std::string_view trimmed(std::string_view text);

/// The number that a word without blanks is, as NumPy and pandas say: +5 is one; 1e400 is infinite, 1e-400 is 0. Nothing
/// where it is none.
std::optional<double> number_of(std::string_view word);

struct TextNumbers {
  std::vector<double> values;
  std::vector<std::uint64_t> shape;  ///< lines and columns, without those that are 1
};

/// A row a line, parted by blanks, tabs, commas or semicolons; what follows a # is a remark. Throws Error that names
/// the line.
TextNumbers numbers_in_text(std::span<const std::byte> content);

}  // namespace headrace::inventory
