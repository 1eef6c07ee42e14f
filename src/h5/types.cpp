#include "h5/types.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "h5/error.hpp"
#include "h5/handle.hpp"

namespace headrace::h5 {

namespace {

std::string owned(char* text) {
  std::string copy = text != nullptr ? text : "";
  H5free_memory(text);
  return copy;
}

/// Of integers, bitfields and times: their bits.
void describe_bits(hid_t type, TypeInfo& info) {
  info.kind = Kind::integer;
  const auto used = H5Tget_precision(type);
  info.standard = used == info.size * 8 && H5Tget_offset(type) == 0;
  if (!info.standard) info.oddity = std::to_string(used) + " of its " + std::to_string(info.size * 8) + " bits";
  info.big_endian = info.size > 1 && H5Tget_order(type) == H5T_ORDER_BE;
}

void describe_integer(hid_t type, TypeInfo& info) {
  describe_bits(type, info);
  info.is_signed = H5Tget_sign(type) == H5T_SGN_2;
}

/// What HDF5 calls a time is the integer that time_t is.
void describe_time(hid_t type, TypeInfo& info) {
  describe_bits(type, info);
  info.is_signed = true;
  info.time = true;
}

void describe_string(hid_t type, TypeInfo& info) {
  info.kind = Kind::string;
  info.utf8 = H5Tget_cset(type) == H5T_CSET_UTF8;
  if (H5Tis_variable_str(type) > 0) {
    info.size = 0;
    return;
  }
  const auto padding = H5Tget_strpad(type);
  info.padding = padding == H5T_STR_SPACEPAD  ? Padding::space_padded
                 : padding == H5T_STR_NULLPAD ? Padding::null_padded
                                              : Padding::null_terminated;
}

void describe_floating(hid_t type, TypeInfo& info) {
  struct Layout {
    std::size_t size, exponent_at, exponent_bits, mantissa_bits, bias;
  };
  constexpr std::array<Layout, 4> known{
      {{2, 10, 5, 10, 15}, {2, 7, 8, 7, 127}, {4, 23, 8, 23, 127}, {8, 52, 11, 52, 1023}}};  // [1] is bfloat16
  info.kind = Kind::floating;
  info.is_signed = true;
  info.big_endian = H5Tget_order(type) == H5T_ORDER_BE;
  std::size_t sign_at = 0, exponent_at = 0, exponent_bits = 0, mantissa_at = 0, mantissa_bits = 0;
  check(H5Tget_fields(type, &sign_at, &exponent_at, &exponent_bits, &mantissa_at, &mantissa_bits), "H5Tget_fields");
  info.standard = false;
  for (const auto& layout : known)
    if (layout.size == info.size && layout.exponent_at == exponent_at && layout.exponent_bits == exponent_bits &&
        layout.mantissa_bits == mantissa_bits && mantissa_at == 0 && sign_at == info.size * 8 - 1 &&
        H5Tget_ebias(type) == layout.bias && H5Tget_order(type) != H5T_ORDER_VAX) {
      info.standard = true;
      info.bfloat = &layout == &known[1];
    }
  if (!info.standard)
    info.oddity =
        std::to_string(exponent_bits) + " bits of exponent, " + std::to_string(mantissa_bits) + " of mantissa";
}

/// h5py keeps what HDF5 has no type for, as NumPy's datetimes, as opaque and tells the type in a tag, "NUMPY:<M8[ns]":
/// the bytes are those of NumPy's numbers. Datetimes and durations are int64; the least of them stands for none (NaT).
void describe_opaque(hid_t type, TypeInfo& info) {
  info.kind = Kind::opaque;
  const auto tag = owned(H5Tget_tag(type));
  constexpr std::string_view beginning = "NUMPY:";
  if (!tag.starts_with(beginning) || tag.size() < beginning.size() + 3) return;
  const auto order = tag[beginning.size()], kind = tag[beginning.size() + 1];
  const auto rest = tag.substr(beginning.size() + 2);
  const auto size = rest.substr(0, rest.find('['));
  const bool time = kind == 'M' || kind == 'm';
  if (std::string_view("<>|").find(order) == std::string_view::npos || size != std::to_string(info.size)) return;
  if (time ? info.size != 8 : kind != 'i' && kind != 'u') return;
  if (info.size != 1 && info.size != 2 && info.size != 4 && info.size != 8) return;
  info.kind = Kind::integer;
  info.is_signed = kind != 'u';
  info.big_endian = info.size > 1 && order == '>';
  if (time) info.numpy = kind + rest;
}

std::int64_t value_of(hid_t type, hid_t base, unsigned i) {
  std::array<std::byte, 64> buffer{};  // room for the widest integer, converted in place
  check(H5Tget_member_value(type, i, buffer.data()), "H5Tget_member_value");
  const bool is_signed = H5Tget_sign(base) == H5T_SGN_2;
  const auto memory = is_signed ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64;
  check(H5Tconvert(base, memory, 1, buffer.data(), nullptr, H5P_DEFAULT), "H5Tconvert");
  std::uint64_t bits = 0;
  std::memcpy(&bits, buffer.data(), sizeof bits);
  if (!is_signed && bits > INT64_MAX)
    throw Error("name '" + owned(H5Tget_member_name(type, i)) + "' of its enumeration stands for " +
                std::to_string(bits) + ", and names are known up to " + std::to_string(INT64_MAX) +
                "; write it once more as an integer");
  return static_cast<std::int64_t>(bits);
}

void describe_enumeration(hid_t type, TypeInfo& info) {
  const Type base(check(H5Tget_super(type), "H5Tget_super"));
  describe_integer(base.id(), info);
  info.kind = Kind::enumeration;
  const auto count = static_cast<unsigned>(check(H5Tget_nmembers(type), "H5Tget_nmembers"));
  for (unsigned i = 0; i < count; ++i)
    info.labels.push_back({owned(H5Tget_member_name(type, i)), value_of(type, base.id(), i)});
  std::sort(info.labels.begin(), info.labels.end(), [](const Label& a, const Label& b) { return a.value < b.value; });
  if (info.size == 1 && info.labels == std::vector<Label>{{"FALSE", 0}, {"TRUE", 1}}) info.kind = Kind::enum_bool;
}

void describe_compound(hid_t type, TypeInfo& info) {
  info.kind = Kind::compound;
  const auto count = static_cast<unsigned>(check(H5Tget_nmembers(type), "H5Tget_nmembers"));
  for (unsigned i = 0; i < count; ++i) {
    const Type member(check(H5Tget_member_type(type, i), "H5Tget_member_type"));
    info.members.push_back(
        {owned(H5Tget_member_name(type, i)), H5Tget_member_offset(type, i), describe_type(member.id())});
  }
}

void describe_array(hid_t type, TypeInfo& info) {
  info.kind = Kind::array;
  const int rank = check(H5Tget_array_ndims(type), "H5Tget_array_ndims");
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  check(H5Tget_array_dims2(type, dims.data()), "H5Tget_array_dims2");
  info.dims.assign(dims.begin(), dims.end());
  const Type base(check(H5Tget_super(type), "H5Tget_super"));
  info.base.push_back(describe_type(base.id()));
}

/// A part of a complex number: a float that a CPU can take but for its byte order.
bool is_part(const Member& member, const TypeInfo& like, std::uint64_t offset) {
  return member.type.kind == Kind::floating && member.type.standard && !member.type.timeval && member.type == like &&
         member.offset == offset;
}

}  // namespace

bool TypeInfo::operator==(const TypeInfo& o) const {
  return kind == o.kind && size == o.size && is_signed == o.is_signed && big_endian == o.big_endian &&
         standard == o.standard && bfloat == o.bfloat && members == o.members && labels == o.labels && dims == o.dims &&
         base == o.base && padding == o.padding && utf8 == o.utf8 && time == o.time && timeval == o.timeval &&
         oddity == o.oddity && numpy == o.numpy;
}

std::uint64_t memory_size(const TypeInfo& type) {
  return type.kind == Kind::string && type.size == 0 ? sizeof(char*) : type.size;
}

bool has_pointers(const TypeInfo& type) {
  if (type.kind == Kind::vlen || (type.kind == Kind::string && type.size == 0)) return true;
  for (const auto& member : type.members)
    if (has_pointers(member.type)) return true;
  return !type.base.empty() && has_pointers(type.base[0]);
}

void as_pytables_writes_times(TypeInfo& type) {
  if (type.time && type.size == 8) {
    type.kind = Kind::floating;
    type.timeval = true;
  }
  for (auto& member : type.members) as_pytables_writes_times(member.type);
  for (auto& base : type.base) as_pytables_writes_times(base);
}

const TypeInfo* complex_part(const TypeInfo& type) {
  constexpr std::array<std::array<const char*, 2>, 3> names{{{"r", "i"}, {"re", "im"}, {"real", "imag"}}};
  if (type.kind != Kind::compound || type.members.size() != 2) return nullptr;
  const auto& part = type.members[0].type;
  if (type.size != 2 * part.size || !is_part(type.members[0], part, 0) || !is_part(type.members[1], part, part.size))
    return nullptr;
  for (const auto& [real, imaginary] : names)
    if (type.members[0].name == real && type.members[1].name == imaginary) return &part;
  return nullptr;
}

Elements elements_of(const TypeInfo& type) {
  if (const auto* part = complex_part(type)) return {part, {2}};
  if (type.kind != Kind::array) return {&type, {}};
  auto elements = elements_of(type.base[0]);
  elements.dims.insert(elements.dims.begin(), type.dims.begin(), type.dims.end());
  return elements;
}

TypeInfo describe_type(hid_t type) {
  TypeInfo info;
  info.size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      describe_integer(type, info);
      break;
    case H5T_FLOAT:
      describe_floating(type, info);
      break;
    case H5T_ENUM:
      describe_enumeration(type, info);
      break;
    case H5T_COMPOUND:
      describe_compound(type, info);
      break;
    case H5T_ARRAY:
      describe_array(type, info);
      break;
    case H5T_STRING:
      describe_string(type, info);
      break;
    case H5T_VLEN: {
      info.kind = Kind::vlen;
      const Type base(check(H5Tget_super(type), "H5Tget_super"));
      info.base.push_back(describe_type(base.id()));
      break;
    }
    case H5T_BITFIELD:  // masks, and PyTables' bool
      describe_bits(type, info);
      break;
    case H5T_TIME:
      describe_time(type, info);
      break;
    case H5T_OPAQUE:
      describe_opaque(type, info);
      break;
    case H5T_REFERENCE:
      info.kind = Kind::reference;
      break;
    default:
      info.kind = Kind::other;
  }
  return info;
}

}  // namespace headrace::h5
