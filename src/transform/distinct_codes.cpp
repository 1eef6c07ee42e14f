#include "transform/distinct_codes.hpp"

namespace headrace::transform {

std::uint64_t distinct_codes(DType to) {
  switch (to) {
    case DType::boolean:
      return 2;
    case DType::float16:
      return (1 << 11) + 1;
    case DType::bfloat16:
      return (1 << 8) + 1;
    case DType::float32:
      return (1 << 24) + 1;
    case DType::float64:
      return (std::uint64_t{1} << 53) + 1;
    default:
      const auto digits = 8 * size_of(to) - (to <= DType::int64 ? 1 : 0);
      return digits > 32 ? UINT64_MAX : std::uint64_t{1} << digits;
  }
}

}  // namespace headrace::transform
