// The table of configuration keys. Flags, environment, TOML and help all come from it: a key added here is everywhere.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.hpp"
#include "config/value.hpp"

namespace headrace::config {

/// Where a key stands. Stream keys may also stand at the top level, as defaults of all streams, but not those of
/// stream_only.
enum class Scope { top, stream, stream_only, field };
/// What TOML may hold for it, and how a flag takes it.
enum class Kind {
  text,
  number,
  size,
  time,
  choice,
  toggle,
  list,       ///< texts; a flag gives one and may be repeated
  texts,      ///< a text or a list of texts; in a flag parted by commas
  numbers,    ///< a number or a list of numbers; in a flag parted by commas
  scalar,     ///< a word or a number
  selection,  ///< a text, or an inline table that stands for the keys NAME-file and NAME-by
};

struct Key {
  std::string_view name;  ///< "trainers-per-node"
  Scope scope;
  Kind kind;
  std::string_view group;     ///< heading in the help
  char letter;                ///< short flag, or 0
  std::string_view value;     ///< what the help calls its value
  std::string_view fallback;  ///< the default, as the help prints it
  std::string_view doc;
  std::variant<void (*)(Config&, const Value&), void (*)(StreamConfig&, const Value&),
               void (*)(FieldConfig&, const Value&)>
      set;            ///< reads the value into its place; throws UsageError
  bool path = false;  ///< paths or patterns: in a file, relative to its folder
};

const std::vector<Key>& keys();

/// The part of the table that is about fields.
std::vector<Key> field_keys();

/// The key of that name at the top level (`section` empty) or in [stream.X] ("stream") or [field.X] ("field"), or
/// nullptr.
const Key* find_key(std::string_view section, std::string_view name);
/// The variable of the environment that sets a key of the top level: "HEADRACE_TRAINERS_PER_NODE".
std::string variable_name(std::string_view key);
/// The names that may stand there.
std::vector<std::string> key_names(std::string_view section);
/// The key that an unknown name there is taken for, or "?": it may be any.
std::string meant_key(std::string_view section, std::string_view name);

}  // namespace headrace::config
