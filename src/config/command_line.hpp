// The command line of one command: its own flags, and the configuration keys where it takes them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/toml.hpp"

namespace headrace::config {

/// A flag that is no configuration key.
struct Flag {
  std::string name;
  char letter;           ///< short form, or 0
  std::string value;     ///< what the help calls its value; empty: a switch
  std::string fallback;  ///< the default, as the help prints it
  std::string doc;
};

struct Arguments;

/// What a command is called with, and what it does.
struct Command {
  std::string name;         ///< "serve"
  std::string usage;        ///< "[FILE...]"
  std::string summary;      ///< one line
  std::string details;      ///< shown under the usage, may be empty
  bool configured = false;  ///< takes --config and all configuration keys
  std::vector<Flag> flags;
  bool wraps = false;   ///< from the first positional argument on, all is another program's command line
  bool prints = false;  ///< what it prints is the point: that it did not arrive is a failure
  /// Returns the exit code. Mistakes of the command line so far are passed on, to be told with its own.
  std::function<int(const Arguments&, Mistakes&)> run = {};
};

/// A command line taken apart.
struct Arguments {
  bool help = false;
  std::string config;                        ///< --config, or empty
  std::vector<Setting> settings;             ///< of configuration keys, in the order given
  std::map<std::string, std::string> flags;  ///< the command's own that were given; a switch holds "true"
  std::vector<std::string> positional;

  bool has(const std::string& flag) const { return flags.count(flag) != 0; }
  /// The flag as a Value named "--flag TEXT", with `fallback` when it was not given.
  Value value(const std::string& flag, const std::string& fallback) const;
};

/// Takes args (without program and command) apart; what is wrong goes to `mistakes`.
Arguments parse_arguments(const Command& command, const std::vector<std::string>& args, Mistakes& mistakes);

/// The text of --help.
std::string help_text(const Command& command);

}  // namespace headrace::config
