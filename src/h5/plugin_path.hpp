// Where HDF5 looks for filters that it does not know: it loads every library of those folders until one fits, so a folder
// that others may write would let them run code as this user.
#pragma once

#include <string>
#include <vector>

namespace headrace::h5 {

/// Takes the folders out of HDF5's search path that others may write or that hold libraries of others, and those that are
/// not there (yet). Called by library(), once; again only after the path was changed.
void guard_plugin_path();

/// Why folders were taken out, a sentence each, for the log: the filters in them are not known.
const std::vector<std::string>& distrusted_plugin_folders();

}  // namespace headrace::h5
