// A file driver for HDF5 that reads what leads to the data, and notes where these lie instead of reading them: HDF5 up
// to 1.12 tells where a chunk is only by going through all that stand before it (H5Dget_chunk_info: 100 ms each where
// there are 500,000), but finds the one that it is asked to read in a microsecond.
//
//   H5Dread_chunk  ->  index in the file (read)  ->  chunk (noted: offset and bytes)
//
// Files opened so are only good for that. Noting is a matter of the thread that owns HDF5.
#pragma once

#include <cstdint>
#include <string>

#include "h5/handle.hpp"

namespace headrace::h5::chunks {

/// What HDF5 would have read of data.
struct Noted {
  std::uint64_t offset = 0, bytes = 0;  ///< of the first of these reads; from the file's first byte, user block and all
  unsigned reads = 0;
};

/// A regular file, for reading. Error without the file's name.
File open_to_note(const std::string& path);

/// While it lives, this thread's reads of data in such files are noted and not done: what should have got them is left
/// as it was.
class Noting {
 public:
  Noting();
  ~Noting();
  Noting(const Noting&) = delete;
  Noting& operator=(const Noting&) = delete;
  const Noted& noted() const { return noted_; }

 private:
  Noted noted_;
};

}  // namespace headrace::h5::chunks
