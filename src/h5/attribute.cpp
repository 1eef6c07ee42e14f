#include "h5/attribute.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <optional>
#include <string_view>

#include "h5/error.hpp"

namespace headrace::h5 {

namespace {

constexpr hssize_t most_numbers = 64, most_texts = 10'000;  // of an attribute that is worth keeping

/// A text of fixed length, less what ends or pads it there.
std::string without_padding(std::string text, const TypeInfo& type) {
  if (type.padding == Padding::null_terminated) return text.substr(0, text.find('\0'));
  return text.substr(0, text.find_last_not_of(type.padding == Padding::space_padded ? ' ' : '\0') + 1);
}

void read_texts(const AttributeId& attribute, const Type& type, std::size_t count, Attribute& out) {
  if (H5Tis_variable_str(type.id()) > 0) {
    std::vector<char*> texts(count);
    check(H5Aread(attribute.id(), type.id(), texts.data()), "H5Aread");
    for (auto* text : texts) {
      out.texts.emplace_back(text != nullptr ? text : "");
      H5free_memory(text);
    }
    return;
  }
  const auto size = H5Tget_size(type.id());
  std::string all(count * size, '\0');
  check(H5Aread(attribute.id(), type.id(), all.data()), "H5Aread");
  for (std::size_t i = 0; i < count; ++i) out.texts.push_back(without_padding(all.substr(i * size, size), out.type));
}

std::vector<Whole> read_wholes(const AttributeId& attribute, const TypeInfo& type, std::size_t count) {
  std::vector<Whole> wholes;
  const auto take = [&](auto value, hid_t memory) {
    std::vector<decltype(value)> values(count);
    check(H5Aread(attribute.id(), memory, values.data()), "H5Aread");
    for (const auto one : values) wholes.emplace_back(one);
  };
  if (type.is_signed)
    take(std::int64_t{}, H5T_NATIVE_INT64);
  else
    take(std::uint64_t{}, H5T_NATIVE_UINT64);
  return wholes;
}

/// Numbers and texts, if they are few; nothing otherwise.
std::optional<Attribute> read_attribute(hid_t object, const char* name) {
  const AttributeId attribute(check(H5Aopen(object, name, H5P_DEFAULT), "H5Aopen"));
  const Type type(check(H5Aget_type(attribute.id()), "H5Aget_type"));
  const Space space(check(H5Aget_space(attribute.id()), "H5Aget_space"));
  const auto count = H5Sget_simple_extent_npoints(space.id());
  const auto kind = H5Tget_class(type.id());
  if (count < 1 || count > (kind == H5T_STRING ? most_texts : most_numbers)) return std::nullopt;
  Attribute out{name, describe_type(type.id()), {}, {}};
  if (kind == H5T_STRING) {
    read_texts(attribute, type, static_cast<std::size_t>(count), out);
  } else if (kind == H5T_INTEGER || kind == H5T_FLOAT) {
    out.numbers.resize(static_cast<std::size_t>(count));
    check(H5Aread(attribute.id(), H5T_NATIVE_DOUBLE, out.numbers.data()), "H5Aread");
    if (kind == H5T_INTEGER && out.type.size == 8)
      out.wholes = read_wholes(attribute, out.type, static_cast<std::size_t>(count));
  } else {
    return std::nullopt;
  }
  return out;
}

/// Without it values would be others, and nobody would be told.
bool changes_values(std::string_view name) {
  constexpr std::string_view names[] = {"scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned"};
  return std::ranges::find(names, name) != std::end(names);
}

}  // namespace

std::vector<Attribute> attributes_of(hid_t object) {
  struct Found {
    std::vector<Attribute> all;
    std::exception_ptr failure;  // exceptions must not pass through HDF5
  } found;
  const auto visit = [](hid_t id, const char* name, const H5A_info_t*, void* data) -> herr_t {
    auto& to = *static_cast<Found*>(data);
    try {
      if (auto attribute = read_attribute(id, name)) to.all.push_back(std::move(*attribute));
      return 0;
    } catch (const Error&) {
      if (!changes_values(name)) return 0;  // no reason not to read the data
      to.failure = std::current_exception();
      return -1;
    } catch (...) {
      to.failure = std::current_exception();
      return -1;
    }
  };
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &found);
  H5Eclear2(H5E_DEFAULT);
  if (found.failure) std::rethrow_exception(found.failure);
  return std::move(found.all);
}

std::vector<Attribute> root_attributes(const File& file) {
  const Group root(check(H5Gopen2(file.id(), "/", H5P_DEFAULT), "H5Gopen"));
  return attributes_of(root.id());
}

}  // namespace headrace::h5
