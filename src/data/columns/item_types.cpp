#include "data/columns/item_types.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace headrace::data::columns {

namespace {

using h5::Kind;

/// NumPy's name of the least standard type that holds the numbers of an odd one; "" where none does.
std::string standard_name(const h5::TypeInfo& type) {
  const bool integer = type.kind != Kind::floating;
  for (const std::uint64_t size : {1, 2, 4, 8})
    if (size >= type.size && (integer || size > 1))
      return (integer ? (type.is_signed ? "int" : "uint") : "float") + std::to_string(size * 8);
  return integer ? "" : "float64";
}

bool is_float(DType type) {
  return type >= DType::float16;
}
bool is_signed(DType type) {
  return type >= DType::int8 && type <= DType::int64;
}

/// Bits of whole numbers that a float type holds without gaps.
std::size_t whole_bits(DType type) {
  return type == DType::bfloat16 ? 8 : type == DType::float16 ? 11 : type == DType::float32 ? 24 : 53;
}

}  // namespace

std::optional<transform::Cell> cell_at(const h5::TypeInfo& type, std::uint64_t offset, bool texts) {
  return type.kind == Kind::string && !texts ? std::nullopt : cell_of(type, offset);
}

bool holds_all_of(DType to, DType from) {
  if (to == from || from == DType::boolean) return true;
  if (to == DType::boolean) return false;
  const auto bits = size_of(from) * 8;
  if (is_float(from)) {
    if (!is_float(to)) return false;
    return size_of(to) > size_of(from);  // the two of 16 bits hold other values
  }
  if (is_float(to)) return whole_bits(to) >= bits - (is_signed(from) ? 1 : 0);
  if (is_signed(from)) return is_signed(to) && size_of(to) >= size_of(from);
  return is_signed(to) ? size_of(to) > size_of(from) : size_of(to) >= size_of(from);
}

bool has_bytes(const h5::TypeInfo& type) {
  return (type.kind == Kind::string || type.kind == Kind::opaque) && type.size > 0;
}

Record record_of(const h5::TypeInfo& dataset) {
  const auto* type = &dataset;
  if (type->kind == Kind::vlen) type = type->base.data();
  Record record{type};
  Extents dims;
  for (; type->kind == Kind::array; type = type->base.data())
    dims.insert(dims.end(), type->dims.begin(), type->dims.end());
  if (type->kind == Kind::compound && !h5::complex_part(*type)) record = {type, true, std::move(dims)};
  return record;
}

std::optional<PlainValues> plain_values(const h5::TypeInfo& type, bool texts) {
  auto [element, dims] = h5::elements_of(type);
  const auto* inner = &type;
  while (inner->kind == Kind::array) inner = inner->base.data();
  const bool complex = h5::complex_part(*inner) != nullptr;
  if (const auto cell = cell_at(*element, 0, texts))
    return PlainValues{&type, element, *cell, std::move(dims), complex};
  if (texts || !has_bytes(*element)) return std::nullopt;
  const auto bytes = bytes_of({"", "", {}, 0, element});
  dims.push_back(bytes.size());
  return PlainValues{&type, bytes[0].type, *cell_at(*bytes[0].type, 0, false), std::move(dims), false};
}

std::vector<Part> members_of(const h5::TypeInfo& compound) {
  std::vector<Part> parts;
  for (const auto& member : compound.members)
    parts.push_back({member.name, member.name, {member.name}, member.offset, &member.type});
  return parts;
}

bool has_part(const h5::TypeInfo& compound, const std::string& text) {
  try {
    return !parts_named(compound, text).empty();
  } catch (const UsageError&) {
    return false;
  }
}

std::optional<transform::Cell> own_validity(const h5::TypeInfo& compound) {
  for (const auto& member : compound.members)
    if (member.name == "valid" && (member.type.kind == Kind::enum_bool || member.type.kind == Kind::integer))
      return cell_of(member.type, member.offset);
  return std::nullopt;
}

std::vector<std::string> words_of_path(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at <= text.size();) {
    const auto dot = std::min(text.find('.', at), text.size());
    words.push_back(text.substr(at, dot - at));
    at = dot + 1;
  }
  return words;
}

std::string remedy(const h5::TypeInfo& type) {
  switch (type.kind) {
    case Kind::string:
      return "; texts of variable length are labels: set encode = \"index\" or \"one-hot\"";
    case Kind::integer:
    case Kind::floating:
    case Kind::enumeration:
    case Kind::enum_bool: {
      const auto standard = standard_name(type);
      return "; no processor computes with such numbers: write them once more in a type that one does" +
             (standard.empty() ? "" : ", with h5py: file[\"new\"] = file[\"old\"].astype(\"" + standard + "\")[...]");
    }
    case Kind::reference:
      return "; references lead to other objects and hold no numbers";
    case Kind::vlen:
      return "; rows of variable length can be fields where they are a dataset of their own";
    case Kind::opaque:
      return "; only its bytes can be delivered, without encode";
    default:
      return "; fields are made of numbers, of texts, and of arrays and compounds of them";
  }
}

}  // namespace headrace::data::columns
