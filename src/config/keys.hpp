// The table of configuration keys. Flags, environment, TOML, help and the suggestions for wrong words come from it.
//
// A key goes through these files (those of `overflow`, a field's; docs/contributing/add-a-key.md says more):
//
//   1 config/config.hpp                   its place, with the default; of words also an enum, and word() in config.cpp
//   2 config/field_keys.cpp or keys.cpp   its row in the table; where it contradicts other keys: check.cpp
//   3 job/same_config.cpp                 whether all stagers must have the same (a test fails until that is decided)
//   4 service/blueprint/fingerprint.cpp   whether other values mean other bytes; at its default it adds nothing
//   5 data/fields/resolve.cpp             its effect: for fields in what transform/ is told; for others where it is used
//   6 data/fields/operations_text.cpp     what `headrace inspect -c` tells of it
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/outputs.hpp"
#include "config/value.hpp"

namespace headrace::config {

/// Where a key stands. Stream keys may also stand at the top level, as defaults of all streams, but not those of
/// stream_only. `output`: at the top level, or rather in [premix] and [export].
enum class Scope { top, stream, stream_only, field, of_class, output };
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
  pairs,      ///< a table of texts by name; a flag gives one, NAME=TEXT, and may be repeated
  selection,  ///< a text, or an inline table that stands for the keys NAME-file, NAME-by and NAME-repeats
};

struct Key {
  std::string_view name;  ///< "trainers-per-node"; "inventory.csv": csv in the section [inventory]
  Scope scope;
  Kind kind;
  std::string_view group;     ///< heading in the help
  char letter;                ///< short flag, or 0
  std::string_view value;     ///< what the help calls its value
  std::string_view fallback;  ///< the default, as the help prints it
  std::string_view doc;
  std::variant<void (*)(Config&, const Value&), void (*)(StreamConfig&, const Value&),
               void (*)(FieldConfig&, const Value&), void (*)(ClassConfig&, const Value&),
               void (*)(Outputs&, const Value&)>
      set;            ///< reads the value into its place; throws UsageError
  bool path = false;  ///< paths or patterns: in a file, relative to its folder
};

const std::vector<Key>& keys();

/// The parts of the table that are about fields, about inventories, about resampling, and about files that are written.
std::vector<Key> field_keys();
std::vector<Key> inventory_keys();
std::vector<Key> resample_keys();
std::vector<Key> output_keys();

/// The key of that name at the top level (`section` empty) or in [stream.X] ("stream"), [field.X] ("field") or [class.X] ("class"), or
/// nullptr.
const Key* find_key(std::string_view section, std::string_view name);
/// Whether there are keys of the section [name], which stands at most once: "inventory".
bool is_section(std::string_view name);
/// The names of those keys, without the section's.
std::vector<std::string> names_in_section(std::string_view name);
/// The variable of the environment that sets a key of the top level: "HEADRACE_TRAINERS_PER_NODE".
std::string variable_name(std::string_view key);
/// The names that may stand there.
std::vector<std::string> key_names(std::string_view section);
/// The key that an unknown name there is taken for, or "?": it may be any.
std::string meant_key(std::string_view section, std::string_view name);

}  // namespace headrace::config
