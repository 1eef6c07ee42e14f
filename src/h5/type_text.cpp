// Types in words.
#include "h5/types.hpp"

namespace headrace::h5 {

namespace {

/// How much a text tells.
enum class Telling { kind, lasting, everything };

std::string text_of(const TypeInfo& type, Telling telling);

std::string number_text(const TypeInfo& type, Telling telling) {
  const auto bits = std::to_string(type.size * 8);
  std::string text = type.kind == Kind::floating ? (type.bfloat ? "bfloat" : "float") : type.is_signed ? "int" : "uint";
  text += bits;
  if (!type.standard) return text + " (" + (telling == Telling::lasting ? "non-standard layout" : type.oddity) + ")";
  if (type.timeval) return text + (type.big_endian ? " (PyTables' time, big-endian)" : " (PyTables' time)");
  if (!type.numpy.empty() && telling != Telling::lasting)
    return text + " (NumPy's " + type.numpy + (type.big_endian ? ", big-endian)" : ")");
  return type.big_endian ? text + " (big-endian)" : text;
}

std::string compound_text(const TypeInfo& type, Telling telling) {
  const bool everything = telling == Telling::everything;
  std::string text = "compound {";
  for (const auto& member : type.members)
    text += (&member == type.members.data() ? "" : ", ") + member.name +
            (everything ? " at " + std::to_string(member.offset) : "") + ": " + text_of(member.type, telling);
  return text + "}" + (everything ? " of " + std::to_string(type.size) + " bytes" : "");
}

std::string enumeration_text(const TypeInfo& type, Telling telling) {
  std::string text = "enum {";
  for (const auto& label : type.labels) {
    text += (&label == type.labels.data() ? "" : ", ") + label.name;
    if (telling == Telling::everything) text += " = " + std::to_string(label.value);
  }
  text += "}";
  return telling == Telling::everything ? text + " of " + number_text(type, telling) : text;
}

std::string string_text(const TypeInfo& type, Telling telling) {
  std::string text = type.size == 0 ? "variable" : std::to_string(type.size) + " bytes";
  if (telling == Telling::everything) {
    if (type.size > 0)
      text += type.padding == Padding::space_padded  ? ", padded with spaces"
              : type.padding == Padding::null_padded ? ", padded with NULs"
                                                     : ", up to a NUL";
    text += type.utf8 ? ", UTF-8" : ", ASCII";
  }
  return "string (" + text + ")";
}

std::string text_of(const TypeInfo& type, Telling telling) {
  switch (type.kind) {
    case Kind::integer:
    case Kind::floating:
      return number_text(type, telling);
    case Kind::enum_bool:
      return type.labels.empty() || telling != Telling::everything ? "bool" : "bool, " + number_text(type, telling);
    case Kind::enumeration:
      return enumeration_text(type, telling);
    case Kind::string:
      return string_text(type, telling);
    case Kind::compound:
      if (const auto* part = complex_part(type); part && telling == Telling::kind)
        return "complex" + std::to_string(type.size * 8) + (part->big_endian ? " (big-endian)" : "");
      return compound_text(type, telling);
    case Kind::array: {
      std::string text = text_of(type.base[0], telling) + "[";
      for (std::size_t i = 0; i < type.dims.size(); ++i) text += (i ? ", " : "") + std::to_string(type.dims[i]);
      return text + "]";
    }
    case Kind::vlen:
      return "variable-length " + text_of(type.base[0], telling);
    case Kind::reference:
      if (telling == Telling::lasting) break;
      return "reference (" + std::to_string(type.size) + " bytes)";
    case Kind::opaque:
    case Kind::other:
      break;
  }
  return "opaque (" + std::to_string(type.size) + " bytes)";
}

}  // namespace

std::string text_of(const TypeInfo& type) {
  return text_of(type, Telling::kind);
}

std::string lasting_text(const TypeInfo& type) {
  return text_of(type, Telling::lasting);
}

std::pair<std::string, std::string> told_apart(const TypeInfo& a, const TypeInfo& b) {
  auto texts = std::pair(text_of(a), text_of(b));
  if (texts.first == texts.second) texts = {text_of(a, Telling::everything), text_of(b, Telling::everything)};
  if (texts.first == texts.second) texts.second = "another type of the same description";
  return texts;
}

}  // namespace headrace::h5
