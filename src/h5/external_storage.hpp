// Raw values that lie in files of their own, beside the HDF5 file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "h5/handle.hpp"

namespace headrace::h5 {

struct RawFiles {
  std::string lost;                 ///< why they do not hold all values, naming the file; "" if they do
  std::vector<std::string> places;  ///< where those that do lie, each once, in order: whole paths
};

/// Of a dataset with these creation properties, whose values take `bytes` bytes; none where they lie in the HDF5 file.
/// HDF5 does not say which file it misses, and takes what is not in one that is too short for zeros. It looks for
/// relative names in the folder that HDF5_EXTFILE_PREFIX names, else in the working directory. `home`: the HDF5 file.
RawFiles raw_files(const Plist& properties, const std::string& home, std::uint64_t bytes);

}  // namespace headrace::h5
