// Other files that data files name: behind external links, and as external storage of datasets. They are opened with
// the user's rights, so a file that somebody sent could show any file of the user's: those outside the folder of the
// data file are told. The thread that owns HDF5.
//
//   1. External links are followed to regular files only: a FIFO would block for ever, a device do what nobody meant.
//   2. What is named outside the folder (and its subfolders) is remembered until the process ends.
#pragma once

#include <string>
#include <vector>

#include "h5/handle.hpp"

namespace headrace::h5 {

/// For every call that follows links: keeps 1 and 2. A link access list, which datasets' is one of.
hid_t link_access();
/// The same for a list that has other settings, too.
void follow_with_care(const Plist& access);
/// Throws Error if the last call followed a link to what is no regular file; "H5Dopen failed" says less.
void require_followed();

/// Remembers the external storage of a dataset, by its creation list.
void remember_storage(hid_t dataset, const Plist& properties);

/// Why the file that an external link of `object`'s file names is not there: "no such file in DIR"; "" if one is found.
std::string missing_outside(hid_t object, const std::string& name);

/// "/data/a.h5: external storage '/etc/passwd'": what was named outside, in order.
std::vector<std::string> files_outside();
/// The same of another process.
void remember_outside(const std::vector<std::string>& sentences);

}  // namespace headrace::h5
