#include "inventory/decoders/form.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "h5/dataset.hpp"

namespace headrace::inventory {

namespace {

/// Its bytes turned around as one, or as two halves where it is a complex number; 0: neither.
std::uint64_t swapped_width(const h5::TypeInfo& type) {
  if (type.kind == h5::Kind::integer || type.kind == h5::Kind::floating) return type.size;
  const auto* part = h5::complex_part(type);
  return part ? part->size : 0;
}

void set_order(h5::TypeInfo& type, bool big_endian) {
  type.big_endian = big_endian;
  for (auto& member : type.members) member.type.big_endian = big_endian;
}

}  // namespace

std::uint64_t Form::elements() const {
  std::uint64_t n = 1;
  for (const auto extent : shape)
    require(!__builtin_mul_overflow(n, extent, &n) && n < (std::uint64_t{1} << 48),
            "its shape " + h5::shape_text(shape) + " holds more than can be counted");
  return n;
}

std::uint64_t Form::bytes() const {
  std::uint64_t n = 0;
  require(!__builtin_mul_overflow(elements(), type.size, &n), "its values take more bytes than can be counted");
  return n;
}

std::string text_of(const Form& form) {
  return h5::text_of(form.type) + " " + h5::shape_text(form.shape);
}

h5::TypeInfo number_type(char kind, std::uint64_t bytes, bool big_endian) {
  if (kind == 'c') {
    const auto part = number_type('f', bytes / 2, big_endian);
    return {.kind = h5::Kind::compound, .size = bytes, .members = {{"r", 0, part}, {"i", bytes / 2, part}}};
  }
  if (kind == 'b')
    return {.kind = h5::Kind::enum_bool, .size = 1, .is_signed = true, .labels = {{"FALSE", 0}, {"TRUE", 1}}};
  return {.kind = kind == 'f' ? h5::Kind::floating : h5::Kind::integer,
          .size = bytes,
          .is_signed = kind == 'i',
          .big_endian = big_endian && bytes > 1};
}

h5::TypeInfo number_type(DType dtype, bool big_endian) {
  const auto name = std::string(name_of(dtype));
  const auto bytes = size_of(dtype);
  if (dtype == DType::bfloat16) {
    auto type = number_type('f', 2, big_endian);
    type.bfloat = true;
    return type;
  }
  return number_type(name[0], bytes, big_endian);
}

bool differ_in_byte_order(const Form& a, const Form& b) {
  auto turned = b;
  set_order(turned.type, a.type.members.empty() ? a.type.big_endian : a.type.members[0].type.big_endian);
  return !(a == b) && a == turned && swapped_width(a.type) > 1;
}

void swap_bytes(const Form& form, std::byte* data) {
  const auto width = swapped_width(form.type);
  for (const auto* end = data + form.bytes(); data < end; data += width) std::reverse(data, data + width);
}

}  // namespace headrace::inventory
