// The commands that talk to a running service of this node: `headrace wait | stop`; stat is another file.
#pragma once

#include <ostream>
#include <string>

#include "config/command_line.hpp"

namespace headrace::commands {

/// Returns 0 once trainers can attach; Error where the service is not ready after `timeout` seconds, or has failed.
int wait(const std::string& name, double timeout, std::ostream& out);
/// Ends the service gracefully and returns 0 once it is gone; Error after `timeout` seconds. word: of the service that
/// is meant (job/party.hpp), Error where another one has its name; empty: whoever has it.
int stop(const std::string& name, double timeout, std::ostream& out, const std::string& word = "");
/// The service that a command line names, or HEADRACE_NAME; else the only one of this user on this node. Error where
/// there are none or several.
std::string running_service(const config::Arguments& arguments);

}  // namespace headrace::commands
