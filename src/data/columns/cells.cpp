#include "service/cells.hpp"

#include "base/error.hpp"

namespace headrace::service {

std::optional<transform::Cell> cell_of(const h5::TypeInfo& type, std::uint64_t offset) {
  if (type.kind == h5::Kind::string) {
    if (type.size == 0)
      return transform::Cell{transform::CellKind::text_pointer, DType::uint8, false, offset, sizeof(char*)};
    const auto ends = type.padding == h5::Padding::space_padded  ? transform::TextEnd::spaces
                      : type.padding == h5::Padding::null_padded ? transform::TextEnd::nuls
                                                                 : transform::TextEnd::first_nul;
    return transform::Cell{transform::CellKind::text, DType::uint8, false, offset, type.size, ends};
  }
  const auto element = reader::element_of(type);
  if (!element) return std::nullopt;
  return transform::Cell{
      transform::CellKind::number, element->dtype,    element->big_endian, offset, type.size, transform::TextEnd::first_nul,
      element->timeval};
}

std::string dataset_meant(const std::string& name, const std::vector<std::string>& datasets) {
  const auto dot = name.rfind('.');
  if (dot == std::string::npos || !nearest(name, datasets).empty()) return did_you_mean(name, datasets);
  return did_you_mean(name.substr(0, dot), datasets);
}

}  // namespace headrace::service
