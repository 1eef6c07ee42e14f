// The commands of the command line: what each is called with, and what it does with that. They stand in
// NAME_command.cpp, or beside a story that is short. tools/headrace.cpp picks one of them.
#pragma once

#include "service/options_flags.hpp"

namespace headrace::service {

Command inspect_command();
Command serve_command();
Command bench_command();
Command plan_command();
Command stat_command();
Command stats_command();
Command run_command();
Command wait_command();
Command stop_command();

// ---- what several of them share -----------------------------------------------------------------------------------

inline const Flag json_flag{"json", 'j', "", "", "for programs: one JSON document"};

/// The configuration of a command that takes its keys; or all that is wrong with it, also against its files.
Config configuration(const Arguments& arguments, Mistakes& mistakes);
/// The same for a command that needs files: `verb` says what for.
Config configuration_with_files(const Arguments& arguments, Mistakes& mistakes, const std::string& verb);

}  // namespace headrace::service
