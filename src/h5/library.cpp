#include "h5/library.hpp"

#include <hdf5.h>

#include <cstdlib>

#include "h5/filters.hpp"
#include "h5/plugin_path.hpp"

namespace headrace::h5 {

void library() {
  static const bool ready = [] {
    ::setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);  // read once by the library, when it opens
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    register_filters();
    guard_plugin_path();  // sees the folders that filters added
    return true;
  }();
  static_cast<void>(ready);
}

}  // namespace headrace::h5
