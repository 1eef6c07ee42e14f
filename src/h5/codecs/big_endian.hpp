// Numbers as filters store them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace headrace::h5::codecs {

/// The first bytes as a number; there are enough.
template <class Number>
Number big_endian(std::span<const std::byte> bytes) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    number = static_cast<Number>(number << 8 | std::to_integer<Number>(bytes[i]));
  return number;
}

}  // namespace headrace::h5::codecs
