#include "transform/fill.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "transform/numbers/cast.hpp"

namespace headrace::transform {

Fill::Fill(double value, DType type) : size_(size_of(type)) {
  double given = value;
  const bool fits = numbers::cast(&given, 1, type, numbers::Overflow::error, value_.data()) == 1;
  if (!fits || (type == DType::boolean && value != 0 && value != 1))
    throw UsageError(
        fmt::format("fill: {} does not fit {}; give a value that it holds, or another dtype", value, name_of(type)));
  zeros_ = std::all_of(value_.begin(), value_.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

void Fill::write(std::byte* out, std::uint64_t bytes) const {
  if (zeros_) {
    std::memset(out, 0, bytes);
    return;
  }
  for (std::uint64_t at = 0; at < bytes; at += size_) std::memcpy(out + at, value_.data(), size_);
}

}  // namespace headrace::transform
