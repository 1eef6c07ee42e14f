// What the disk alone gives: records of a scratch file read by plain loops, as many at a time as ScratchReaders read,
// copied nowhere. A limit to compare with, and a probe at the start.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "store/scratch_readers.hpp"

namespace headrace::store {

struct RawRate {
  double seconds = 0;
  std::uint64_t reads = 0, bytes = 0;  ///< of records, without what the stride fills
};

/// A row of a file.
struct RowOfFile {
  std::uint32_t file = 0, row = 0;
};

/// Reads those records in that order, or as many of them as are begun within the limit; large ones in parts, as
/// ScratchReaders do.
RawRate read_raw(std::span<const Scratch> files, std::span<const RowOfFile> rows, unsigned threads,
                 double most_seconds);

/// Reads pieces of a MiB at random places: what the disk gives where operations do not bind.
RawRate read_raw_pieces(const Scratch& from, unsigned threads, double most_seconds);

}  // namespace headrace::store
