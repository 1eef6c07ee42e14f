// Filters of chunked datasets: their names, whether this process can undo them, and those that HDF5 learns from us.
#pragma once

#include <hdf5.h>

#include <string>
#include <vector>

#include "h5/codecs/codec.hpp"

namespace headrace::h5 {

struct Filter {
  int id = 0;
  std::string name;  ///< "gzip", "lz4", ...: short; of unknown ones the file's first word, or "filter 32123"
  std::vector<unsigned> values;  ///< the file's parameters of it
  bool available = false;        ///< HDF5 in this process can undo it, or we

  bool operator==(const Filter&) const = default;
};

/// The filters of a dataset's creation properties, in the order in which they were applied.
std::vector<Filter> filters_of(hid_t creation_properties);

/// "gzip(4)", "lzf", "blosc(lz4)": as people name them, with the level or the compressor within where there is one.
std::string text_of(const Filter& filter);

/// What to do about one that is not available.
std::string how_to_get(const Filter& filter);

/// Makes those of codec.hpp known to HDF5 in this process, and where it may find others. Called by library().
void register_filters();

}  // namespace headrace::h5
