#include "h5/dataset.hpp"

namespace headrace::h5 {

std::uint64_t DatasetInfo::row_elements() const {
  std::uint64_t n = 1;
  for (std::size_t i = 1; i < dims.size(); ++i) n *= dims[i];
  return n;
}

const Attribute* DatasetInfo::attribute(std::string_view name) const {
  for (const auto& candidate : attributes)
    if (candidate.name == name) return &candidate;
  return nullptr;
}

std::string_view text_of(Layout layout) {
  switch (layout) {
    case Layout::contiguous:
      return "contiguous";
    case Layout::chunked:
      return "chunked";
    case Layout::compact:
      return "compact";
    case Layout::other:
      break;
  }
  return "virtual or external";
}

std::string shape_text(const std::vector<std::uint64_t>& dims) {
  std::string text = "(";
  for (std::size_t i = 0; i < dims.size(); ++i) text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + (dims.size() == 1 ? ",)" : ")");
}

}  // namespace headrace::h5
