// Writes a stream into a folder of files. Collective over the job's processes; the thread that owns MPI.
#pragma once

#include <string>

#include "config/outputs.hpp"

namespace headrace::commands::exporting {

/// What `headrace export` is told beside its configuration.
struct Options {
  std::string output, stream;
  bool force = false, resume = false;
};

/// The exit code: 1 where it was interrupted. Errors name what is wrong.
int export_stream(const config::OutputConfig& config, const Options& options);

}  // namespace headrace::commands::exporting
