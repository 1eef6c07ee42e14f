// What the array in a file is: the type of its elements and its shape. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.hpp"
#include "h5/types.hpp"

namespace headrace::inventory {

struct Form {
  h5::TypeInfo type;
  std::vector<std::uint64_t> shape;

  std::uint64_t elements() const;  ///< Throws Error where they are more than can be counted
  std::uint64_t bytes() const;
  bool operator==(const Form&) const = default;
};

/// "float32 (28, 28)"
std::string text_of(const Form& form);

/// Of a number of this width: the kind as NumPy names it, 'f', 'i', 'u', 'b' (bool), 'c' (two floats).
h5::TypeInfo number_type(char kind, std::uint64_t bytes, bool big_endian);
h5::TypeInfo number_type(DType dtype, bool big_endian);

/// Whether the two differ in nothing but the order of bytes, and bytes of one element can simply be turned around.
bool differ_in_byte_order(const Form& a, const Form& b);
/// Turns every element around.
void swap_bytes(const Form& form, std::byte* data);

}  // namespace headrace::inventory
