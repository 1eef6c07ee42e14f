// One value per sample out of raw rows, for conditions, lists and labels: integers stay integers, texts stay texts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "condition/condition.hpp"
#include "transform/raw.hpp"

namespace headrace::data::selection {

/// Room for n values of the cell's kind: int64 for signed integers and bool, uint64, double, or text.
condition::ColumnValues make_values(const transform::Cell& cell, std::size_t n);

/// values[at + i] = the cell of record i; records stand `stride` bytes apart.
void load_values(const transform::Cell& cell, const std::byte* raw, std::uint64_t stride, std::size_t n,
                 condition::ColumnValues& values, std::size_t at);

}  // namespace headrace::data::selection
