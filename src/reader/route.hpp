// Which way a dataset of one file is read. Pure: the same on every rank.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "h5/dataset.hpp"

namespace headrace::reader {

enum class Io { automatic, collective, direct };

/// How a dataset (in one file, or in all) was read.
enum class Way {
  plain,       ///< pread of a contiguous dataset by several threads
  chunks,      ///< raw chunks, decoded by several threads
  library,     ///< H5Dread by each rank on its own
  collective,  ///< H5Dread by all ranks together
  foreign,     ///< no HDF5 file: from where the catalog says, by each rank on its own
};

/// "pread", "decoded chunks", "H5Dread", "collective H5Dread", "files of samples".
std::string_view text_of(Way way);

struct Route {
  Way way = Way::plain;
  std::string why;
  bool operator==(const Route&) const = default;
};

/// `collective` is served where HDF5 can be trusted with it: contiguous and unfiltered chunked datasets that are
/// written in full. All else goes the way of `direct`, and says why.
///
/// `automatic` takes the direct ways. Measured on a warm page cache, pread is as fast as collective H5Dread where rows
/// go straight to their place and 1.3 times as fast where they are converted on the way; decoding chunks ourselves
/// is 1.3 (gzip) to 1.7 times (lzf) as fast as HDF5 on one thread, and gains from more threads, which HDF5 does not.
Route route(Io io, const h5::DatasetInfo& dataset);

/// Bytes of all chunks that hold the same rows; what has to be held at once to take chunks apart.
std::uint64_t band_bytes(const h5::DatasetInfo& dataset);

/// Rows that HDF5 is asked for at once, at most `bytes` of them (but a row): it takes memory for each chunk that these lie
/// in, more than the rows themselves where chunks are tiny.
std::uint64_t rows_at_once(const h5::DatasetInfo& dataset, std::uint64_t bytes);

}  // namespace headrace::reader
