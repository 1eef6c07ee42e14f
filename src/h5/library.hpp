// HDF5 in this process, made ready.
#pragma once

namespace headrace::h5 {

/// Before the first HDF5 call, and cheap afterwards: no printing of errors, no file locks unless the user's environment
/// says otherwise, our filters registered (filters.hpp), none loaded that others may have written (plugin_path.hpp).
void library();

}  // namespace headrace::h5
