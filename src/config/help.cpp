#include <fmt/format.h>

#include "config/command_line.hpp"

namespace headrace::config {

namespace {

constexpr std::size_t doc_column = 30;

std::string line(const std::string& flag, std::string_view doc, std::string_view fallback) {
  std::string text = "  " + flag;
  text +=
      text.size() + 2 > doc_column ? "\n" + std::string(doc_column, ' ') : std::string(doc_column - text.size(), ' ');
  text += doc;
  if (!fallback.empty()) text += fmt::format(" ({})", fallback);
  return text + "\n";
}

std::string spelled(char letter, std::string_view name, std::string_view value) {
  return (letter ? fmt::format("-{}, ", letter) : std::string("    ")) + fmt::format("--{}", name) +
         (value.empty() ? "" : fmt::format(" {}", value));
}

std::string key_line(const Key& key) {
  const auto name = key.scope == Scope::field         ? fmt::format("field.NAME.{}", key.name)
                    : key.scope == Scope::of_class    ? fmt::format("class.NAME.{}", key.name)
                    : key.scope == Scope::stream_only ? fmt::format("stream.NAME.{}", key.name)
                                                      : std::string(key.name);
  return line(spelled(key.letter, name, key.value), key.doc, key.kind == Kind::toggle ? "" : key.fallback);
}

}  // namespace

std::string help_text(const Command& command) {
  auto text = fmt::format("{}\n\nUsage: headrace {}{}{}\n", command.summary, command.name,
                          command.usage.empty() ? "" : " ", command.usage);
  if (!command.details.empty()) text += "\n" + command.details + "\n";
  text += "\nFlags\n";
  for (const auto& flag : command.flags)
    text += line(spelled(flag.letter, flag.name, flag.value), flag.doc, flag.fallback);
  if (command.configured)
    text += line(spelled('c', "config", "FILE"), "TOML file that holds any of the keys below", "");
  text += line(spelled('h', "help", ""), "this text", "");
  if (!command.configured) return text;
  std::string_view group;
  for (const auto& key : keys()) {
    if (key.group != group) text += fmt::format("\n{}\n", group = key.group);
    text += key_line(key);
  }
  return text +
         "\nKeys of Streams hold for all streams, or for one as --stream.NAME.KEY; naming one stream drops 'train'.\n"
         "A key's value is taken from its flag, else from HEADRACE_KEY in the environment, else from the file.\n";
}

}  // namespace headrace::config
