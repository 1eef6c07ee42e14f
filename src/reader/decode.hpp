// Undoes the filters of one chunk. Each thread at a time has its own Decoder, which keeps its memory between chunks.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "h5/filters.hpp"

namespace headrace::reader {

class Decoder {
 public:
  Decoder() = default;
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// gzip, shuffle, fletcher32 and those of h5/codecs/codec.hpp. First asked by the thread that owns HDF5.
  static bool knows(int filter);

  /// The chunk's plain bytes into `plain`, which they fill exactly. Bit i of `skipped`: filter i was not applied.
  /// Throws Error where the chunk is damaged.
  void decode(std::span<const h5::Filter> filters, std::uint32_t skipped, std::span<const std::byte> stored,
              std::span<std::byte> plain);

 private:
  std::span<const std::byte> undo(const h5::Filter& filter, std::span<const std::byte> from, std::span<std::byte> to);
  std::size_t inflate(std::span<const std::byte> from, std::span<std::byte> to);

  z_stream zlib_{};
  bool zlib_ready_ = false;
  std::vector<std::byte> scratch_[2];  // between filters
};

/// HDF5's fletcher32 over 16-bit big-endian words.
std::uint32_t fletcher32(std::span<const std::byte> bytes);

/// Byte i of element k is at to[k * size + i], from from[i * n + k]; what does not make a whole element is copied.
void unshuffle(std::span<const std::byte> from, std::size_t size, std::byte* to);

}  // namespace headrace::reader
