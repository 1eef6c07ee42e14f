// What applies filters: the other way round of codec.hpp, on memory alone, in any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "h5/codecs/codec.hpp"

namespace headrace::h5::codecs {

constexpr int filter_gzip = 1, filter_shuffle = 2;  // HDF5's own

enum class Method { none, gzip, lzf, lz4, zstd };

/// Shuffle where elements have several bytes, then a method.
struct Encoding {
  Method method = Method::none;
  int level = 0;                  ///< of gzip and zstd
  std::size_t element_bytes = 1;  ///< of which shuffle parts the bytes
  bool shuffles() const { return method != Method::none && element_bytes > 1; }
};

/// A filter and its parameters as files name them.
struct AppliedFilter {
  int id = 0;
  std::vector<unsigned> values;
};
/// In the order in which they are applied, to chunks of this size.
std::vector<AppliedFilter> filters_of(const Encoding& encoding, std::size_t chunk_bytes);

/// Puts the filtered chunk into `out`. Returns the filters that were left out because nothing was won, bit f for the
/// f-th..
std::uint32_t encode(const Encoding& encoding, std::span<const std::byte> chunk, std::vector<std::byte>& out);

/// A chunk as Blosc frames it, which says itself how it is undone. within: "zlib", "lz4" or "zstd"; level: 1 to 9.
std::vector<std::byte> encode_blosc(const std::string& within, int level, std::size_t element_bytes,
                                    std::span<const std::byte> chunk);
/// No larger chunk can be framed so.
extern const std::size_t most_blosc_bytes;

}  // namespace headrace::h5::codecs
