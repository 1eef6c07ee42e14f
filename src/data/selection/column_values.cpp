#include "data/selection/column_values.hpp"

#include <algorithm>
#include <type_traits>

#include "transform/cells.hpp"

namespace headrace::data::selection {

condition::ColumnValues make_values(const transform::Cell& cell, std::size_t n) {
  if (cell.kind != transform::CellKind::number) return std::vector<std::string>(n);
  switch (cell.dtype) {
    case DType::boolean:
    case DType::int8:
    case DType::int16:
    case DType::int32:
    case DType::int64:
      return std::vector<std::int64_t>(n);
    case DType::uint8:
    case DType::uint16:
    case DType::uint32:
    case DType::uint64:
      return std::vector<std::uint64_t>(n);
    default:
      return std::vector<double>(n);
  }
}

void load_values(const transform::Cell& cell, const std::byte* raw, std::uint64_t stride, std::size_t n,
                 condition::ColumnValues& values, std::size_t at) {
  if (auto* texts = std::get_if<std::vector<std::string>>(&values)) {
    for (std::size_t i = 0; i < n; ++i) (*texts)[at + i] = transform::load_text(cell, raw + i * stride);
    return;
  }
  std::visit(
      [&](auto& numbers) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(numbers)>, std::vector<std::string>>)
          for (std::size_t done = 0; done < n; done += transform::block_values)
            transform::load(cell, {.first = raw + done * stride, .stride = stride},
                            std::min(transform::block_values, n - done), numbers.data() + at + done);
      },
      values);
}

}  // namespace headrace::data::selection
