// Which way a dataset of one file is read. Pure: the same on every rank.
#pragma once

#include <string>

#include "reader/load.hpp"

namespace headrace::reader {

struct Route {
  Way way = Way::plain;
  std::string why;
  bool operator==(const Route&) const = default;
};

/// `automatic` takes the direct ways: measured on a warm page cache, pread by two ranks reads contiguous data 1.0 - 1.3
/// times as fast as collective H5Dread, and two threads decode filtered chunks about twice as fast as HDF5's one.
Route route(Io io, const h5::DatasetInfo& dataset);

/// Bytes of all chunks that hold the same rows; what has to be held at once to take chunks apart.
std::uint64_t band_bytes(const h5::DatasetInfo& dataset);

}  // namespace headrace::reader
