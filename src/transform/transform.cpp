#include "transform/transform.hpp"

#include <bit>
#include <cstring>

namespace headrace::transform {

namespace {

// Loads and stores through memcpy are unaligned moves to the compiler, so that these loops become vector code.
template <class Word>
void swap_bytes(const std::byte* raw, std::uint64_t elements, std::byte* out) {
  for (std::uint64_t i = 0; i < elements; ++i) {
    Word word;
    std::memcpy(&word, raw + i * sizeof(Word), sizeof(Word));
    if constexpr (sizeof(Word) == 2)
      word = static_cast<Word>(word << 8 | word >> 8);
    else if constexpr (sizeof(Word) == 4)
      word = __builtin_bswap32(word);
    else
      word = __builtin_bswap64(word);
    std::memcpy(out + i * sizeof(Word), &word, sizeof(Word));
  }
}

void to_bool(const std::byte* raw, std::uint64_t elements, std::byte* out) {
  for (std::uint64_t i = 0; i < elements; ++i) out[i] = raw[i] != std::byte{0} ? std::byte{1} : std::byte{0};
}

}  // namespace

Transform::Kernel Transform::kernel_for(const Source& source) {
  if (source.dtype == DType::boolean) return to_bool;
  constexpr bool native_big = std::endian::native == std::endian::big;
  if (source.big_endian == native_big) return nullptr;
  switch (size_of(source.dtype)) {
    case 2:
      return swap_bytes<std::uint16_t>;
    case 4:
      return swap_bytes<std::uint32_t>;
    case 8:
      return swap_bytes<std::uint64_t>;
    default:
      return nullptr;
  }
}

Transform::Transform(const Source& source) : source_(source), kernel_(kernel_for(source)) {}

void Transform::apply(const std::byte* raw, std::uint64_t rows, std::byte* out) const {
  if (kernel_ == nullptr)
    std::memcpy(out, raw, rows * row_bytes());
  else
    kernel_(raw, rows * source_.elements, out);
}

}  // namespace headrace::transform
