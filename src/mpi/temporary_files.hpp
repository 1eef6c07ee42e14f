// Where Open MPI, as most programs, puts temporary files.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace headrace::mpi {

inline std::filesystem::path folder_for_temporary_files() {
  for (const auto* name : {"TMPDIR", "TEMP", "TMP"})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  return "/tmp";
}

}  // namespace headrace::mpi
