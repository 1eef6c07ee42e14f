// From flags, environment and file to one Config. Precedence: flag, then environment, then file, then default; within
// one source, a key of [stream.X] goes before the same key at the top level.
#pragma once

#include "config/command_line.hpp"
#include "config/outputs.hpp"

namespace headrace::config {

/// The configuration of this command line. Positional arguments are files. Throws UsageError that tells every mistake
/// there is in flags, environment and file together; `mistakes` may already hold some.
Config load_config(const Arguments& arguments, const Environment& variables, Mistakes mistakes = {});
/// The same, but mistakes are added to `mistakes`, and the configuration is what was understood of it.
Config read_config(const Arguments& arguments, const Environment& variables, Mistakes& mistakes);
/// What the same sources say of files that are written.
Outputs read_outputs(const Arguments& arguments, const Environment& variables, Mistakes& mistakes);

}  // namespace headrace::config
