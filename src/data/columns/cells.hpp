// What transforms call a cell, from what files call a type.
#pragma once

#include <cstdint>
#include <optional>

#include "catalog/catalog.hpp"
#include "transform/raw.hpp"

namespace headrace::data::columns {

/// A number or a text at this offset of a record; nothing for what is neither.
std::optional<transform::Cell> cell_of(const h5::TypeInfo& type, std::uint64_t offset = 0);

}  // namespace headrace::data::columns
