// Numbers in a text, as NumPy's loadtxt reads them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace headrace::inventory {

struct TextNumbers {
  std::vector<double> values;
  std::vector<std::uint64_t> shape;  ///< lines and columns, without those that are 1
};

/// A row a line, parted by blanks, tabs, commas or semicolons; what follows a # is a remark. Throws Error that names
/// the line.
TextNumbers numbers_in_text(std::span<const std::byte> content);

}  // namespace headrace::inventory
