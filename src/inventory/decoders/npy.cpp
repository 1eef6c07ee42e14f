#include "inventory/decoders/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "inventory/decoders/npy_literal.hpp"

namespace headrace::inventory {

namespace {

constexpr std::string_view magic = "\x93NUMPY";

h5::TypeInfo type_of_code(std::string_view code) {
  const auto shown = [&] { return fmt::format("'{}'", printable(code)); };
  if (code.find('O') != std::string_view::npos)
    throw Error("it holds Python objects (type " + shown() +
                "), which are programs rather than data; save numbers (np.asarray(x, dtype=...))");
  if (code.size() < 2) throw Error("its type " + shown() + " is unknown");
  const char order = std::string_view("<>|=").find(code[0]) == std::string_view::npos ? '|' : code[0];
  if (order == code[0]) code.remove_prefix(1);
  const char kind = code[0];
  std::uint64_t size = 0;
  const auto* end = code.data() + code.size();
  const auto [rest, status] = std::from_chars(code.data() + 1, end, size);
  if (kind == 'U') throw Error("it holds texts of Unicode (type " + shown() + "); save them as bytes (dtype 'S')");
  if (kind == 'M' || kind == 'm') throw Error("it holds dates (type " + shown() + "); save them as numbers (int64)");
  if (status != std::errc{} || rest != end || size == 0) throw Error("its type " + shown() + " is unknown");
  if (kind == 'S') return {.kind = h5::Kind::string, .size = size, .padding = h5::Padding::null_padded};
  const bool is_float = kind == 'f' && (size == 2 || size == 4 || size == 8);
  const bool is_whole = (kind == 'i' || kind == 'u') && (size == 1 || size == 2 || size == 4 || size == 8);
  if (is_float || is_whole || (kind == 'b' && size == 1) || (kind == 'c' && (size == 8 || size == 16)))
    return number_type(kind, size, order == '>');
  throw Error("its type " + shown() + " is none that can be read; save float32, float64, integers or bool");
}

void require_counted(bool too_many) {
  require(!too_many, "its columns take more bytes than can be counted");
}

h5::TypeInfo type_of(const Literal& descr) {
  if (descr.kind == Literal::Kind::text) return type_of_code(descr.text);
  if (descr.kind != Literal::Kind::list) throw Error("its header does not name a type");
  h5::TypeInfo compound{.kind = h5::Kind::compound};
  for (const auto& member : descr.items) {
    if (member.items.size() < 2) throw Error("its header names a column without a type");
    auto type = type_of(member.items[1]);
    if (member.items.size() > 2) {
      h5::TypeInfo array{.kind = h5::Kind::array, .size = type.size};
      for (const auto& extent : member.items[2].items) {
        array.dims.push_back(static_cast<std::uint64_t>(std::max<std::int64_t>(extent.number, 0)));
        require_counted(__builtin_mul_overflow(array.size, array.dims.back(), &array.size));
      }
      array.base = {std::move(type)};
      type = std::move(array);
    }
    // Columns without a name are gaps between others.
    if (!member.items[0].text.empty()) compound.members.push_back({member.items[0].text, compound.size, type});
    require_counted(__builtin_add_overflow(compound.size, type.size, &compound.size));
  }
  return compound;
}

/// In C order: the last axis varies fastest.
void turn_around(const Form& form, const std::byte* from, std::byte* to) {
  const auto size = form.type.size;
  const auto axes = form.shape.size();
  std::vector<std::uint64_t> stride(axes, 1), at(axes, 0);
  for (std::size_t a = 1; a < axes; ++a) stride[a] = stride[a - 1] * form.shape[a - 1];
  std::uint64_t source = 0;
  for (auto left = form.elements(); left > 0; --left, to += size) {
    std::memcpy(to, from + source * size, size);
    for (auto a = axes; a-- > 0;) {
      source += stride[a];
      if (++at[a] < form.shape[a]) break;
      source -= stride[a] * form.shape[a];
      at[a] = 0;
    }
  }
}

}  // namespace

NpyHeader npy_header(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (!text.starts_with(magic) || text.size() < 10) throw Error("it is no .npy file");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(text[i])); };
  const auto version = byte(6);
  if (version < 1 || version > 3)
    throw Error(fmt::format("it is .npy of version {}; versions 1 to 3 are known", version));
  const std::size_t begin = version == 1 ? 10 : 12;
  if (text.size() < begin) throw Error("it ends within its header");
  std::size_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > text.size() - begin) throw Error("it ends within its header");
  const auto header = parse_literal(text.substr(begin, length));
  const auto *descr = header.find("descr"), *order = header.find("fortran_order"), *shape = header.find("shape");
  if (!descr || !order || !shape) throw Error("its header does not say type, order and shape");
  NpyHeader result{
      .form = {.type = type_of(*descr), .shape = {}}, .fortran = order->number != 0, .bytes = begin + length};
  for (const auto& extent : shape->items) {
    if (extent.kind != Literal::Kind::number || extent.number < 0) throw Error("its header has no shape");
    result.form.shape.push_back(static_cast<std::uint64_t>(extent.number));
  }
  const auto values = text.size() - result.bytes;
  if (values != result.form.bytes())
    throw Error(fmt::format("it holds {} bytes behind its header, and {} takes {}", values, text_of(result.form),
                            result.form.bytes()));
  return result;
}

void npy_values(const NpyHeader& header, std::span<const std::byte> file, std::byte* to) {
  const auto* values = file.data() + header.bytes;
  if (header.fortran && header.form.shape.size() > 1)
    turn_around(header.form, values, to);
  else if (header.form.bytes() > 0)
    std::memcpy(to, values, header.form.bytes());
}

}  // namespace headrace::inventory
