// Filters of chunked datasets: their names, whether this process can undo them, and LZF, which h5py writes.
#pragma once

#include <hdf5.h>

#include <string>
#include <vector>

namespace headrace::h5 {

constexpr H5Z_filter_t filter_lzf = 32000;

struct Filter {
  int id = 0;
  std::string name;              ///< "gzip", "shuffle", ...; for others what the file says, else "filter 32001"
  std::vector<unsigned> values;  ///< the file's parameters of it
  bool available = false;        ///< HDF5 in this process can undo it

  bool operator==(const Filter&) const = default;
};

/// The filters of a dataset's creation properties, in the order in which they were applied.
std::vector<Filter> filters_of(hid_t creation_properties);

/// "gzip(4)", "lzf", ...: as people name them, with the level where there is one.
std::string text_of(const Filter& filter);

/// Makes LZF known to HDF5 in this process. Called by library().
void register_lzf();

}  // namespace headrace::h5
