// The value that stands where a record is not valid, in the field's type. Plain value; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/dtype.hpp"

namespace headrace::transform {

class Fill {
 public:
  Fill() = default;  ///< zeros of any type
  /// Throws UsageError where the type does not hold the value: floats may be rounded, nothing else.
  Fill(double value, DType type);

  /// So many bytes of whole values.
  void write(std::byte* out, std::uint64_t bytes) const;

 private:
  std::array<std::byte, 8> value_{};
  std::size_t size_ = 1;
  bool zeros_ = true;
};

}  // namespace headrace::transform
