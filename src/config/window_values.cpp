#include "config/window_values.hpp"

#include <algorithm>
#include <cctype>

namespace headrace::config {

WindowConfig window_size(const Value& value) {
  constexpr auto allowed = "auto, none, a number of blocks (200), or the bytes of all nodes together (3TiB)";
  constexpr std::uint64_t most_blocks = std::uint64_t{1} << 31;
  const auto& text = value.text();
  if (text == "none") return {};
  if (text == "auto") return {WindowConfig::Kind::automatic, 0};
  if (text.empty()) reject(value, allowed);
  if (std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; }))
    return {WindowConfig::Kind::blocks, whole(value, 1, most_blocks)};
  if (std::isdigit(static_cast<unsigned char>(text[0])) == 0) reject(value, allowed);
  const auto amount = bytes(value);
  if (amount == 0) reject(value, allowed);
  return {WindowConfig::Kind::bytes, amount};
}

std::string text_of(const WindowConfig& window) {
  switch (window.kind) {
    case WindowConfig::Kind::none:
      return "none";
    case WindowConfig::Kind::automatic:
      return "auto";
    case WindowConfig::Kind::blocks:
      return std::to_string(window.amount);
    case WindowConfig::Kind::bytes:
      return std::to_string(window.amount) + "B";
  }
  return "";
}

void check_window(const Config& config, Mistakes& mistakes) {
  if (config.window.kind != WindowConfig::Kind::none && !config.scratch.empty())
    mistakes.add(
        "window contradicts scratch (which shuffles all samples at once, from a disk of each node); give one of them");
  if (config.window.kind != WindowConfig::Kind::none && config.start == Start::early)
    mistakes.add(
        "start = early contradicts window (whose epochs begin with their first window as it is); give one of them");
}

}  // namespace headrace::config
