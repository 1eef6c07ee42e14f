#include "data/columns/cells.hpp"

namespace headrace::data::columns {

std::optional<transform::Cell> cell_of(const h5::TypeInfo& type, std::uint64_t offset) {
  if (type.kind == h5::Kind::string) {
    if (type.size == 0)
      return transform::Cell{transform::CellKind::text_pointer, DType::uint8, false, offset, sizeof(char*)};
    const auto ends = type.padding == h5::Padding::space_padded  ? transform::TextEnd::spaces
                      : type.padding == h5::Padding::null_padded ? transform::TextEnd::nuls
                                                                 : transform::TextEnd::first_nul;
    return transform::Cell{transform::CellKind::text, DType::uint8, false, offset, type.size, ends};
  }
  const auto element = catalog::element_of(type);
  if (!element) return std::nullopt;
  return transform::Cell{transform::CellKind::number,   element->dtype,  element->big_endian, offset, type.size,
                         transform::TextEnd::first_nul, element->timeval};
}

}  // namespace headrace::data::columns
