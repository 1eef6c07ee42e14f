#include "transform/cells.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

#include "base/contract.hpp"
#include "transform/numbers/half.hpp"
#include "transform/numbers/wide_loop.hpp"

namespace headrace::transform {
namespace {

enum class Order { native, swapped, boolean };

template <Order order, class Word>
Word in_order(Word word) {
  if constexpr (order == Order::boolean) return word != 0;
  if constexpr (order == Order::swapped && sizeof(Word) == 2) return static_cast<Word>(word << 8 | word >> 8);
  if constexpr (order == Order::swapped && sizeof(Word) == 4) return __builtin_bswap32(word);
  if constexpr (order == Order::swapped && sizeof(Word) == 8) return __builtin_bswap64(word);
  return word;
}

// Loads and stores through memcpy are unaligned moves to the compiler.
template <class Word, Order order, class At>
void gather_words(At at, std::size_t n, std::byte* out) {
  numbers::run_wide(
      [](At from, std::size_t count, std::byte* to) HEADRACE_KERNEL {
        for (std::size_t i = 0; i < count; ++i) {
          Word word;
          std::memcpy(&word, from(i), sizeof(Word));
          word = in_order<order>(word);
          std::memcpy(to + i * sizeof(Word), &word, sizeof(Word));
        }
      },
      at, n, out);
}

/// is_float: words whose zeros have a sign.
template <class Word>
void mark_nonzero(const std::byte* words, std::size_t n, bool is_float, std::uint8_t* valid) {
  const Word counted = is_float ? std::numeric_limits<Word>::max() >> 1 : std::numeric_limits<Word>::max();
  for (std::size_t i = 0; i < n; ++i) {
    Word word;
    std::memcpy(&word, words + i * sizeof(Word), sizeof(Word));
    valid[i] = (word & counted) != 0;
  }
}

template <class Word, Order order>
void gather_ordered(std::uint64_t offset, const Records& records, std::size_t n, std::byte* out) {
  if (records.each != nullptr) {
    gather_words<Word, order>([=](std::size_t i) { return records.each[i] + offset; }, n, out);
    return;
  }
  const std::byte* first = records.first + offset;
  const std::uint64_t stride = records.stride;
  if (stride != sizeof(Word))
    gather_words<Word, order>([=](std::size_t i) { return first + i * stride; }, n, out);
  else if (order == Order::native)
    std::memcpy(out, first, n * sizeof(Word));
  else
    gather_words<Word, order>([=](std::size_t i) { return first + i * sizeof(Word); }, n, out);
}

template <class Word>
void gather_sized(const Cell& cell, const Records& records, std::size_t n, std::byte* out) {
  constexpr bool native_big = std::endian::native == std::endian::big;
  if (cell.big_endian == native_big)
    gather_ordered<Word, Order::native>(cell.offset, records, n, out);
  else
    gather_ordered<Word, Order::swapped>(cell.offset, records, n, out);
}

template <class Source, class W>
void load_as(const Cell& cell, const Records& records, std::size_t n, W* out) {
  if constexpr (std::is_same_v<Source, W>) {
    gather(cell, records, n, reinterpret_cast<std::byte*>(out));
  } else {
    Source words[block_values];
    gather(cell, records, n, reinterpret_cast<std::byte*>(words));
    numbers::run_wide(
        [](const Source* in, std::size_t count, W* to) HEADRACE_KERNEL {
          for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<W>(in[i]);
        },
        static_cast<const Source*>(words), n, out);
  }
}

/// Floats of 16 bits.
template <class W>
void load_short(const Cell& cell, const Records& records, std::size_t n, W* out) {
  std::uint16_t words[block_values];
  gather(cell, records, n, reinterpret_cast<std::byte*>(words));
  const auto widen = cell.dtype == DType::float16 ? numbers::half_to_float : numbers::bfloat_to_float;
  if constexpr (std::is_same_v<W, float>) {
    widen(words, n, out);
  } else {
    float floats[block_values];
    widen(words, n, floats);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<W>(floats[i]);
  }
}

template <class W>
void load_float(const Cell& cell, const Records& records, std::size_t n, W* out) {
  if (cell.dtype == DType::float32)
    load_as<float>(cell, records, n, out);
  else if (cell.dtype == DType::float64)
    load_as<double>(cell, records, n, out);
  else
    load_short(cell, records, n, out);
}

/// Seconds and microseconds as PyTables makes one number of them. Files of such columns are tables, so this need not be
/// fast.
void gather_times(Cell cell, const Records& records, std::size_t n, std::byte* out) {
  cell.timeval = false;
  gather(cell, records, n, out);
  for (std::size_t i = 0; i < n; ++i) {
    std::int64_t packed = 0;
    std::memcpy(&packed, out + i * sizeof packed, sizeof packed);
    const double time = 1e-6 * static_cast<std::int32_t>(packed & 0xffffffff) + static_cast<double>(packed >> 32);
    std::memcpy(out + i * sizeof time, &time, sizeof time);
  }
}

}  // namespace

void gather(const Cell& cell, const Records& records, std::size_t n, std::byte* out) {
  if (cell.timeval) return gather_times(cell, records, n, out);
  if (cell.dtype == DType::boolean) return gather_ordered<std::uint8_t, Order::boolean>(cell.offset, records, n, out);
  switch (size_of(cell.dtype)) {
    case 1:
      return gather_ordered<std::uint8_t, Order::native>(cell.offset, records, n, out);
    case 2:
      return gather_sized<std::uint16_t>(cell, records, n, out);
    case 4:
      return gather_sized<std::uint32_t>(cell, records, n, out);
    default:
      return gather_sized<std::uint64_t>(cell, records, n, out);
  }
}

template <class W>
void load(const Cell& cell, const Records& records, std::size_t n, W* out) {
  EXPECTS(n <= block_values && cell.kind == CellKind::number);
  switch (cell.dtype) {
    case DType::boolean:
    case DType::uint8:
      return load_as<std::uint8_t>(cell, records, n, out);
    case DType::int8:
      return load_as<std::int8_t>(cell, records, n, out);
    case DType::int16:
      return load_as<std::int16_t>(cell, records, n, out);
    case DType::int32:
      return load_as<std::int32_t>(cell, records, n, out);
    case DType::int64:
      return load_as<std::int64_t>(cell, records, n, out);
    case DType::uint16:
      return load_as<std::uint16_t>(cell, records, n, out);
    case DType::uint32:
      return load_as<std::uint32_t>(cell, records, n, out);
    case DType::uint64:
      return load_as<std::uint64_t>(cell, records, n, out);
    default:
      if constexpr (std::is_floating_point_v<W>) return load_float(cell, records, n, out);
      EXPECTS(false);
  }
}

template void load<float>(const Cell&, const Records&, std::size_t, float*);
template void load<double>(const Cell&, const Records&, std::size_t, double*);
template void load<std::int64_t>(const Cell&, const Records&, std::size_t, std::int64_t*);
template void load<std::uint64_t>(const Cell&, const Records&, std::size_t, std::uint64_t*);

const std::byte* contiguous(const Cell& cell, const Records& records) {
  const bool together = records.each == nullptr && records.stride == size_of(cell.dtype);
  const bool native = cell.big_endian == (std::endian::native == std::endian::big);
  return together && native && !cell.timeval && cell.dtype != DType::boolean ? records.first + cell.offset : nullptr;
}

void load_nonzero(const Cell& cell, const Records& records, std::size_t n, std::uint8_t* valid) {
  std::byte words[block_values * 8];
  for (std::size_t done = 0; done < n; done += block_values) {
    const auto now = std::min(block_values, n - done);
    auto part = records;
    if (part.each != nullptr)
      part.each += done;
    else
      part.first += done * part.stride;
    gather(cell, part, now, words);
    const bool is_float = cell.dtype >= DType::float16;
    switch (size_of(cell.dtype)) {
      case 1:
        mark_nonzero<std::uint8_t>(words, now, false, valid + done);
        break;
      case 2:
        mark_nonzero<std::uint16_t>(words, now, is_float, valid + done);
        break;
      case 4:
        mark_nonzero<std::uint32_t>(words, now, is_float, valid + done);
        break;
      default:
        mark_nonzero<std::uint64_t>(words, now, is_float, valid + done);
    }
  }
}

std::string_view load_text(const Cell& cell, const std::byte* record) {
  const std::byte* at = record + cell.offset;
  if (cell.kind == CellKind::text_pointer) {
    const char* text = nullptr;
    std::memcpy(&text, at, sizeof(text));
    return text == nullptr ? std::string_view() : std::string_view(text);
  }
  const auto* text = reinterpret_cast<const char*>(at);
  if (cell.ends == TextEnd::first_nul) return {text, ::strnlen(text, cell.bytes)};
  const char padding = cell.ends == TextEnd::spaces ? ' ' : '\0';
  std::size_t length = cell.bytes;
  while (length > 0 && text[length - 1] == padding) --length;
  return {text, length};
}

}  // namespace headrace::transform
