// Writing one contiguous dataset by all ranks together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "h5/file.hpp"

namespace headrace::h5 {

enum class Number { uint8, float32 };

class CollectiveWriter {
 public:
  /// Collective: makes (or replaces) the file with one dataset of this shape.
  CollectiveWriter(const mpi::Comm& comm, const std::string& path, const std::string& dataset,
                   const std::vector<std::uint64_t>& dims, Number number);
  /// Collective, conversion-free: each rank its own rows, perhaps none.
  void write(std::uint64_t first, std::uint64_t rows, const std::byte* from) const;

 private:
  void create(const mpi::Comm& comm, const std::string& path, const std::string& dataset);

  std::vector<hsize_t> dims_;
  hid_t type_;  // one of HDF5's own, never closed
  File file_;
  Dataset dataset_;
};

}  // namespace headrace::h5
