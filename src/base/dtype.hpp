// The element types that a row can have, in the host's byte order.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace headrace {

enum class DType {
  boolean,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float16,
  bfloat16,
  float32,
  float64
};

/// Bytes of one element.
std::size_t size_of(DType type);
/// NumPy's name: "float32", "bool", ... ("bfloat16" as ml_dtypes has it).
std::string_view name_of(DType type);
/// The type of that name, if there is one.
std::optional<DType> dtype_named(std::string_view name);

}  // namespace headrace
