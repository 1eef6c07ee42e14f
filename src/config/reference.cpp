#include "config/reference.hpp"

#include <nlohmann/json.hpp>

namespace headrace::config {

namespace {

using nlohmann::json;

std::string_view word(Kind kind) {
  switch (kind) {
    case Kind::text:
      return "text";
    case Kind::number:
      return "number";
    case Kind::size:
      return "size";
    case Kind::time:
      return "time";
    case Kind::choice:
      return "word";
    case Kind::toggle:
      return "switch";
    case Kind::list:
      return "list of texts";
    case Kind::texts:
      return "text, or list of texts";
    case Kind::numbers:
      return "number, or list of numbers";
    case Kind::scalar:
      return "word or number";
    case Kind::pairs:
      return "table of texts";
    case Kind::selection:
      return "text or table";
  }
  return "";
}

/// Where it may stand in a file: at the "top", in a "stream", in a "field", in a "class".
json places(Scope scope) {
  switch (scope) {
    case Scope::top:
    case Scope::output:
      return {"top"};
    case Scope::stream:
      return {"top", "stream"};
    case Scope::stream_only:
      return {"stream"};
    case Scope::field:
      return {"field"};
    case Scope::of_class:
      return {"class"};
  }
  return {};
}

std::string letter(char c) {
  return c ? std::string(1, c) : std::string();
}

json key_facts(const Key& key) {
  const bool at_top = key.scope == Scope::top || key.scope == Scope::stream || key.scope == Scope::output;
  return {{"name", key.name},   {"in", places(key.scope)},
          {"group", key.group}, {"kind", word(key.kind)},
          {"value", key.value}, {"letter", letter(key.letter)},
          {"text", key.doc},    {"default", key.fallback},
          {"path", key.path},   {"variable", at_top ? variable_name(key.name) : std::string()}};
}

json command_facts(const Command& command) {
  auto flags = json::array();
  for (const auto& flag : command.flags)
    flags.push_back({{"name", flag.name},
                     {"letter", letter(flag.letter)},
                     {"value", flag.value},
                     {"default", flag.fallback},
                     {"text", flag.doc}});
  return {{"name", command.name},       {"usage", command.usage},           {"summary", command.summary},
          {"details", command.details}, {"configured", command.configured}, {"flags", std::move(flags)}};
}

}  // namespace

json reference(const std::string& version, const std::vector<Command>& commands) {
  json document{{"version", version}, {"keys", json::array()}, {"commands", json::array()}};
  for (const auto& key : keys()) document["keys"].push_back(key_facts(key));
  for (const auto& command : commands) document["commands"].push_back(command_facts(command));
  return document;
}

}  // namespace headrace::config
