#include "h5/codecs/bitshuffle.hpp"

#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/narrow.hpp"
#include "h5/codecs/big_endian.hpp"

namespace headrace::h5::codecs {

namespace {

constexpr std::size_t group = 8;    // elements whose bits share a byte
constexpr std::size_t header = 12;  // of what is compressed
constexpr unsigned with_lz4 = 2, with_zstd = 3;

[[noreturn]] void throw_damaged() {
  throw Error("a chunk cannot be undone by bitshuffle; the file is damaged");
}

struct Shape {
  std::size_t element = 1, block = 0;  // bytes, elements
  unsigned compression = 0;

  explicit Shape(Codec::Values values) {
    if (values.size() >= 3) element = values[2];
    if (values.size() >= 4) block = values[3];
    if (values.size() >= 5) compression = values[4];
    if (element == 0 || block % group != 0 || (compression != 0 && compression != with_lz4 && compression != with_zstd))
      throw_damaged();
    if (block == 0) block = default_block();
  }
  // As bitshuffle itself chooses where nobody says; part of the format.
  std::size_t default_block() const { return std::max<std::size_t>(8192 / element / group * group, 128); }
};

void decompress(unsigned compression, Codec::Bytes from, std::span<std::byte> to) {
  if (compression == with_zstd) {
    if (unzstd(from, to) != to.size()) throw_damaged();
    return;
  }
  if (LZ4_decompress_safe(reinterpret_cast<const char*>(from.data()), reinterpret_cast<char*>(to.data()),
                          narrow<int>(from.size()), narrow<int>(to.size())) != narrow<int>(to.size()))
    throw_damaged();
}

/// Gives the blocks of a chunk, shuffled, one after another.
class Blocks {
 public:
  Blocks(const Shape& shape, Codec::Bytes from) : shape_(shape), from_(from) {
    if (shape.compression != 0) from_ = from_.subspan(header);
  }
  Codec::Bytes next(std::size_t bytes) {
    if (shape_.compression == 0) return take(bytes);
    const auto stored = take(big_endian<std::uint32_t>(take(sizeof(std::uint32_t))));
    thread_local std::vector<std::byte> plain;
    plain.resize(std::max(plain.size(), bytes));
    decompress(shape_.compression, stored, std::span(plain).first(bytes));
    return std::span<const std::byte>(plain).first(bytes);
  }
  Codec::Bytes take(std::size_t bytes) {
    if (bytes > from_.size()) throw_damaged();
    const auto taken = from_.first(bytes);
    from_ = from_.subspan(bytes);
    return taken;
  }

 private:
  const Shape& shape_;
  Codec::Bytes from_;
};

}  // namespace

std::optional<std::size_t> unzstd(Codec::Bytes from, std::span<std::byte> to) {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(
      ZSTD_createDCtx());  // making one costs as much as a chunk
  const auto length = ZSTD_decompressDCtx(context.get(), to.data(), to.size(), from.data(), from.size());
  if (ZSTD_isError(length)) return std::nullopt;
  return length;
}

std::size_t bitshuffle_length(Codec::Values values, Codec::Bytes from) {
  if (Shape(values).compression == 0) return from.size();
  if (from.size() < header) throw_damaged();
  return big_endian<std::uint64_t>(from);
}

std::size_t undo_bitshuffle(Codec::Values values, Codec::Bytes from, std::span<std::byte> to) {
  Shape shape(values);
  const auto total = bitshuffle_length(values, from);
  if (total > to.size()) throw Overfull("a chunk holds more than its shape allows; the file is damaged");
  if (shape.compression != 0) {
    const std::size_t block_bytes = big_endian<std::uint32_t>(from.subspan(8));
    shape.block = block_bytes == 0 ? shape.default_block() : block_bytes / shape.element;
    if (shape.block == 0 || shape.block % group != 0) throw_damaged();
  }
  Blocks blocks(shape, from);
  std::size_t left = total / shape.element;
  auto* out = to.data();
  while (left >= group) {
    const auto elements = std::min(shape.block, left / group * group);
    unbitshuffle(blocks.next(elements * shape.element).data(), elements, shape.element, out);
    out += elements * shape.element;
    left -= elements;
  }
  std::ranges::copy(blocks.take(total - static_cast<std::size_t>(out - to.data())), out);
  return total;
}

}  // namespace headrace::h5::codecs
