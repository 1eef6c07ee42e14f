// Whether a library may be loaded: its code runs as the user of the service, so nobody else may have written it, as sshd
// asks of its keys. Any thread.
#pragma once

#include <string>

namespace headrace {

/// Why a library (links followed) must not be loaded; "" where nothing speaks against it, and where it cannot be found,
/// which whoever opens it will say better.
///
///   1. It belongs to this user or to root.
///   2. Nobody else may write it: no others, and no group but the user's own (that has the user's name).
///   3. Its folder is not open to everybody, unless only owners may remove files there (as in /tmp).
std::string distrust_library(const std::string& path);

/// The same for a folder whose libraries are loaded without being named: nobody else may put one there, and none there
/// may be somebody else's. Only names that end in ".so", or hold ".so.", count.
std::string distrust_folder_of_libraries(const std::string& path);

}  // namespace headrace
