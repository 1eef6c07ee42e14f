// What undoes a filter: on memory alone, in any thread, as many at a time as there are cores.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "base/error.hpp"

namespace headrace::h5::codecs {

// As registered with the HDF Group.
constexpr int filter_bzip2 = 307, filter_lzf = 32000, filter_blosc = 32001, filter_lz4 = 32004,
              filter_bitshuffle = 32008, filter_zstd = 32015, filter_blosc2 = 32026;

/// There is more than the room given.
class Overfull : public Error {
 public:
  using Error::Error;
};

struct Codec {
  using Values = std::span<const unsigned>;  ///< the file's parameters of the filter
  using Bytes = std::span<const std::byte>;

  /// Bytes that will come out, where what is stored tells; else 0.
  std::function<std::size_t(Values, Bytes from)> length;
  /// How many bytes came out. Throws Overfull, and Error where the bytes are damaged.
  std::function<std::size_t(Values, Bytes from, std::span<std::byte> to)> undo;
};

}  // namespace headrace::h5::codecs
