#include "base/printable.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>

namespace headrace {

namespace {

constexpr char32_t no_character = 0xffffffff;

struct Character {
  char32_t code = no_character;  ///< no_character: the byte is no part of valid UTF-8
  std::size_t bytes = 1;
};

/// The character at the beginning of the text, which is not empty.
Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (bytes == 0 || lead > 0xf4 || text.size() < bytes) return {};
  char32_t code = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0u) != 0x80u) return {};
    code = code << 6 | (byte(i) & 0x3fu);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < smallest[bytes] || code > 0x10ffff || surrogate) return {};
  return {code, bytes};
}

bool is_seen(char32_t c) {
  constexpr struct {
    char32_t first, last;
  } unseen[] = {
      {0, 0x1f},                             // control characters
      {0x7f, 0x9f},                          // DEL and the second set of control characters: 0x9b is ESC [
      {0x200b, 0x200f}, {0x2028, 0x202e},    // no width, direction of writing, ends of lines and paragraphs
      {0x2060, 0x206f}, {0xfeff, 0xfeff},    // the like
      {0xfff9, 0xfffb}, {0xe0000, 0xe007f},  // annotations, tags
  };
  for (const auto& [first, last] : unseen)
    if (c >= first && c <= last) return false;
  return true;
}

void escape(std::string& out, char32_t code) {
  char text[16];
  if (code == '\n' || code == '\t' || code == '\r')
    std::snprintf(text, sizeof text, "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
  else
    std::snprintf(text, sizeof text, code < 0x80 ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(code));
  out += text;
}

}  // namespace

bool is_text(std::string_view text) {
  while (!text.empty()) {
    const auto [code, bytes] = first_of(text);
    if (code == no_character || code == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [code, bytes] = first_of(text);
    if (code == no_character) {
      char byte[8];
      std::snprintf(byte, sizeof byte, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(text.front())));
      out += byte;
    } else if (is_seen(code)) {
      out += text.substr(0, bytes);
    } else {
      escape(out, code);
    }
    text.remove_prefix(bytes);
  }
  return out;
}

std::string printable_lines(std::string_view text) {
  std::string out;
  for (;;) {
    const auto end = text.find('\n');
    out += printable(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

std::string printable_message(std::string_view text) {
  std::string out;
  for (bool first = true; first || !text.empty(); first = false) {
    const auto end = text.find('\n');
    const auto line = printable(text.substr(0, end));
    if (!first && !line.empty() && !line.starts_with("  ")) out += "  ";
    out += line;
    if (end == std::string_view::npos) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace headrace
