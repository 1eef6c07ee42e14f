#include "base/dtype.hpp"

#include <array>

namespace headrace {

namespace {

struct Entry {
  DType type;
  std::string_view name;
  std::size_t size;
};

constexpr std::array<Entry, 13> table{{{DType::boolean, "bool", 1},
                                       {DType::int8, "int8", 1},
                                       {DType::int16, "int16", 2},
                                       {DType::int32, "int32", 4},
                                       {DType::int64, "int64", 8},
                                       {DType::uint8, "uint8", 1},
                                       {DType::uint16, "uint16", 2},
                                       {DType::uint32, "uint32", 4},
                                       {DType::uint64, "uint64", 8},
                                       {DType::float16, "float16", 2},
                                       {DType::bfloat16, "bfloat16", 2},
                                       {DType::float32, "float32", 4},
                                       {DType::float64, "float64", 8}}};

constexpr bool in_enum_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].type) != i) return false;
  return true;
}
static_assert(in_enum_order());

}  // namespace

std::size_t size_of(DType type) {
  return table[static_cast<std::size_t>(type)].size;
}

std::string_view name_of(DType type) {
  return table[static_cast<std::size_t>(type)].name;
}

std::optional<DType> dtype_named(std::string_view name) {
  for (const auto& entry : table)
    if (entry.name == name) return entry.type;
  return std::nullopt;
}

}  // namespace headrace
