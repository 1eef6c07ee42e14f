#include "transform/target.hpp"

#include <cstring>

namespace headrace::transform {
namespace {

template <std::size_t size>
void place_sized(const std::byte* from, const Block& block, std::uint64_t stride, std::byte* out) {
  if (block.index != nullptr) {
    for (std::size_t i = 0; i < block.n; ++i) std::memcpy(out + block.index[i] * stride, from + i * size, size);
  } else {
    out += block.first * stride;
    for (std::size_t i = 0; i < block.n; ++i) std::memcpy(out + i * stride, from + i * size, size);
  }
}

void place_copies(const Target& target, const std::byte* from, std::size_t bytes, const Block& block,
                  const std::byte* valid, std::byte* out) {
  for (std::size_t i = 0; i < block.n; ++i)
    for (std::uint64_t r = block[i] * target.records, end = r + target.records; r < end; ++r)
      if (valid == nullptr || valid[r] != std::byte{0})
        std::memcpy(out + r * target.record_bytes, from + i * bytes, bytes);
}

}  // namespace

void place(const Target& target, const std::byte* from, std::size_t bytes, const Block& block, std::uint64_t column,
           const std::byte* valid, std::byte* out) {
  out += target.offset + column;
  if (target.repeated) return place_copies(target, from, bytes, block, valid, out);
  switch (bytes) {
    case 1:
      return place_sized<1>(from, block, target.record_bytes, out);
    case 2:
      return place_sized<2>(from, block, target.record_bytes, out);
    case 4:
      return place_sized<4>(from, block, target.record_bytes, out);
    case 8:
      return place_sized<8>(from, block, target.record_bytes, out);
    default:
      for (std::size_t i = 0; i < block.n; ++i)
        std::memcpy(out + block[i] * target.record_bytes, from + i * bytes, bytes);
  }
}

void clear(const Target& target, std::uint64_t first_record, std::uint64_t records, std::byte* out) {
  out += first_record * target.record_bytes;
  if (target.bytes == target.record_bytes) {
    target.fill.write(out, records * target.record_bytes);
    return;
  }
  out += target.offset;
  for (std::uint64_t r = 0; r < records; ++r) target.fill.write(out + r * target.record_bytes, target.bytes);
}

}  // namespace headrace::transform
