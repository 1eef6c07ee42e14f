// Where output goes: what must hold before anything is read, told with names. Collective over all stagers where it says
// so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "job/topology.hpp"

namespace headrace::commands::writing {

/// Collective: the folder is there, may be written, and is the same on all nodes. Error that names it, and the node.
void require_common_folder(const mpi::Comm& all, const std::string& path);

/// Collective: whether the first stager finds the file there.
bool is_there(const mpi::Comm& all, const std::string& path);

/// UsageError where the path is a folder or another thing that is no file, where something is in its way, or there is
/// nothing to resume; where what stands at the place of its part file is of nobody who left a journal. One stager.
/// one_file: the path is all that is written; the journal of a run that was killed with the file in its place goes.
void require_free(const std::string& path, bool one_file, bool force, bool resume);

/// UsageError where something is there that cannot be replaced by a file.
void require_regular(const std::string& path);
/// UsageError where there is a part file without the journal that a run would have left.
void require_nobodys(const std::string& part);

/// UsageError where the path, or one of them, is one of the files that are read.
void require_no_input(const std::string& path, const catalog::Catalog& catalog);
void require_no_input(const std::vector<std::string>& paths, const catalog::Catalog& catalog);

/// Error where the folder of the path, or the path if it is one that is there, has less room than so many bytes, `there` of which the output has already.
void require_room(const std::string& path, std::uint64_t bytes, std::uint64_t there);

/// Bytes that the file takes on the disk; 0 where there is none.
std::uint64_t allocated(const std::string& path);

}  // namespace headrace::commands::writing
