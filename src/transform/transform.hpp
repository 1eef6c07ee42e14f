// From the bytes of a file to rows as trainers want them. Stateless once made; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/schema.hpp"

namespace headrace::transform {

/// Elements as they stand in a file.
struct Source {
  DType dtype = DType::float32;
  bool big_endian = false;
  std::uint64_t elements = 1;  ///< per row

  std::uint64_t row_bytes() const { return elements * size_of(dtype); }
};

class Transform {
 public:
  /// Rows of `source` in native byte order; bool as bytes 0 and 1, whatever nonzero bytes the file holds.
  explicit Transform(const Source& source);

  DType dtype() const { return source_.dtype; }  ///< of the finished rows
  std::uint64_t raw_row_bytes() const { return source_.row_bytes(); }
  std::uint64_t row_bytes() const { return source_.row_bytes(); }

  /// The raw bytes are finished rows already: they may be read straight to their place.
  bool identity() const { return kernel_ == nullptr; }

  /// Finished rows to `out`, which does not overlap `raw`. Neither needs alignment.
  void apply(const std::byte* raw, std::uint64_t rows, std::byte* out) const;

 private:
  using Kernel = void (*)(const std::byte* raw, std::uint64_t elements, std::byte* out);
  static Kernel kernel_for(const Source& source);

  Source source_;
  Kernel kernel_;
};

}  // namespace headrace::transform
