// Raw values that lie in files of their own, beside the HDF5 file.
#pragma once

#include <cstdint>
#include <string>

#include "h5/handle.hpp"

namespace headrace::h5 {

/// Why the raw files of these creation properties do not hold `bytes` bytes of values, naming the file; "" if they do,
/// or if there are none. HDF5 does not say which file it misses, and takes what is not in one that is too short for
/// zeros. It looks for relative names in the folder that HDF5_EXTFILE_PREFIX names, else in the working directory.
/// `home`: the HDF5 file.
std::string lost_raw_files(const Plist& properties, const std::string& home, std::uint64_t bytes);

}  // namespace headrace::h5
