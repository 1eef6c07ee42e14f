// Reading rows of an open dataset. Bytes come as they are in the file: the memory type is the file's own type, since
// any conversion would make HDF5 give up collective reading, and its conversions are slow.
//
// A row is everything at one index of axis 0. Called by the thread that owns HDF5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "h5/file.hpp"

namespace headrace::h5 {

/// What HDF5 says about the last collective read.
struct CollectiveVerdict {
  bool collective = false;
  std::string why_not;  ///< where not collective
};

class Reader {
 public:
  /// cache_bytes: HDF5's chunk cache for this dataset.
  Reader(const File& file, const std::string& path, std::size_t cache_bytes = 1 << 20);

  /// Rows [first, first + rows) to `to`, by this process alone.
  void read(std::uint64_t first, std::uint64_t rows, std::byte* to) const;

  /// Frees what rows with pointers (variable-length data, strings) point to.
  void reclaim(std::uint64_t rows, std::byte* raw) const;

  /// Collective over the ranks that opened the file, each with its own rows, perhaps none.
  CollectiveVerdict read_collective(std::uint64_t first, std::uint64_t rows, std::byte* to) const;

  /// Stored bytes of the chunk at these coordinates (a chunk's first element); 0: never written, or not to be found,
  /// which read() will explain.
  std::uint64_t chunk_bytes(const std::vector<std::uint64_t>& at) const;

  /// The chunk as stored, chunk_bytes() long. Returns the mask of the filters that were skipped when it was written;
  /// nothing where it was never written after all (unfiltered chunks have a size all the same under some indexes), or
  /// cannot be read, which read() will explain.
  std::optional<std::uint32_t> read_chunk(const std::vector<std::uint64_t>& at, std::byte* to) const;

 private:
  void read(std::uint64_t first, std::uint64_t rows, std::byte* to, const Plist& transfer) const;

  Dataset dataset_;
  Type type_;
  std::vector<hsize_t> dims_;
};

}  // namespace headrace::h5
