// A dataset of an HDF5 file that is one sample. For the thread that owns HDF5; the bytes of contiguous ones may be read
// by any other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "inventory/decoders/form.hpp"

namespace headrace::catalog {
class Examiner;
}

namespace headrace::inventory {

class Hdf5Arrays {
 public:
  Hdf5Arrays();
  ~Hdf5Arrays();

  struct Found {
    Form form;
    std::optional<std::uint64_t> offset;  ///< in the file, where its bytes lie there one after another
  };
  /// Looks at it in a process of its own. Throws Error: no such file, no such dataset, what HDF5 would crash on.
  Found find(const std::string& file, const std::string& dataset);
  /// The values, through HDF5; of one that find() has found.
  void read(const std::string& file, const std::string& dataset, std::byte* to) const;

 private:
  std::unique_ptr<catalog::Examiner> examiner_;
};

/// The bytes there, by any thread.
void read_bytes(const std::string& file, std::uint64_t offset, std::uint64_t bytes, std::byte* to);

}  // namespace headrace::inventory
