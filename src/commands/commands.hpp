// The commands of the command line: what each is called with, and what it does with that. Those with a story of their
// own have a folder (inspect/command.hpp and so on); the others stand in NAME_command.cpp, wait and stop in
// control.cpp. tools/headrace.cpp has the list, and picks one.
#pragma once

#include "config/command_line.hpp"

namespace headrace::commands {

config::Command serve_command();
config::Command stat_command();
config::Command run_command();
config::Command wait_command();
config::Command stop_command();

// ---- what several of them share -----------------------------------------------------------------------------------

inline const config::Flag json_flag{"json", 'j', "", "", "for programs: one JSON document"};

/// The configuration of a command that takes its keys; or all that is wrong with it, also against its files.
config::Config configuration(const config::Arguments& arguments, config::Mistakes& mistakes);
/// The same for a command that needs files: `verb` says what for.
config::Config configuration_with_files(const config::Arguments& arguments, config::Mistakes& mistakes,
                                        const std::string& verb);

}  // namespace headrace::commands
