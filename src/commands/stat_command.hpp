// `headrace stat`: how a service is doing, on all its nodes.
#pragma once

#include <ostream>
#include <string>

namespace headrace::commands {

struct StatOptions {
  bool json = false;   ///< as one document, or with watch one line each
  bool watch = false;  ///< every second, until Ctrl-C or the end of the service
};

int stat(const std::string& name, const StatOptions& options, std::ostream& out);

}  // namespace headrace::commands
