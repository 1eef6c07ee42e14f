// Columns of records, on their way from one step to another.
#pragma once

#include <cstddef>
#include <cstring>

namespace headrace::formats {

/// n pieces of one size, those of each side so many bytes apart.
template <std::size_t Bytes>
void copy_pieces(const std::byte* from, std::size_t from_step, std::byte* to, std::size_t to_step, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) std::memcpy(to + i * to_step, from + i * from_step, Bytes);
}

inline void copy_strided(const std::byte* from, std::size_t from_step, std::byte* to, std::size_t to_step,
                         std::size_t n, std::size_t bytes) {
  if (bytes == 0) return;
  if (from_step == bytes && to_step == bytes) {
    if (n > 0) std::memcpy(to, from, n * bytes);
    return;
  }
  // A copy of known size is one move, of any other size a call.
  switch (bytes) {
    case 1:
      return copy_pieces<1>(from, from_step, to, to_step, n);
    case 2:
      return copy_pieces<2>(from, from_step, to, to_step, n);
    case 4:
      return copy_pieces<4>(from, from_step, to, to_step, n);
    case 8:
      return copy_pieces<8>(from, from_step, to, to_step, n);
    default:
      for (std::size_t i = 0; i < n; ++i) std::memcpy(to + i * to_step, from + i * from_step, bytes);
  }
}

}  // namespace headrace::formats
