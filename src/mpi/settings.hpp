// What a process may choose of Open MPI before it starts: as measured best for the service, where its user has not
// chosen. The launcher's own settings (who runs where, how nodes are reached) are beyond a process; jobs/env has those.
// Other MPI libraries know nothing of these variables. Main thread, before MPI_Init; the environment is changed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::mpi {

/// Sets what the user has set neither in the environment (`mpirun --mca` ends up there, too) nor in a file that Open
/// MPI reads its settings from.
void choose_settings();

/// The files that Open MPI 4 and 5 read settings from, whether they are there or not; only what is in the environment
/// comes before them.
std::vector<std::filesystem::path> setting_files();

/// Whether a file sets it: `name = value`, or `mca name value` with or without dashes before it.
bool is_set_in(const std::filesystem::path& file, std::string_view name);

}  // namespace headrace::mpi
