// What a trainer receives per batch: the fields, in the order of the configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/dtype.hpp"

namespace headrace {

/// One named array per batch; a row of it belongs to one sample.
struct Field {
  std::string name;
  DType dtype = DType::float32;
  std::vector<std::uint64_t> shape;  ///< of one row, without the sample axis; empty for a scalar
  std::vector<std::string> columns;  ///< names along the last axis, where it has names
  std::vector<std::string> classes;  ///< label names in code order, where the field is a label

  std::uint64_t elements() const {
    std::uint64_t n = 1;
    for (const auto extent : shape) n *= extent;
    return n;
  }
  std::uint64_t row_bytes() const { return elements() * size_of(dtype); }
  bool operator==(const Field&) const = default;
};

using Schema = std::vector<Field>;

inline std::uint64_t row_bytes(const Schema& schema) {
  std::uint64_t n = 0;
  for (const auto& field : schema) n += field.row_bytes();
  return n;
}

}  // namespace headrace
