// HDF5's error stack as one message of ours.
#pragma once

#include <hdf5.h>

#include <string>

#include "base/error.hpp"

namespace headrace::h5 {

/// "why" from the error stack: its innermost words, which name the cause; clears the stack.
std::string reason();

/// "; it was written by a newer HDF5 ..." where the reason is a version that this HDF5 does not know, else "".
std::string newer_version_hint(const std::string& reason);

/// check(H5Dread(...), "H5Dread"): passes on what is not negative, else throws Error("H5Dread failed (why)").
template <class Result>
Result check(Result result, const char* call) {
  if (result < 0) [[unlikely]]
    throw Error(std::string(call) + " failed (" + reason() + ")");
  return result;
}

}  // namespace headrace::h5
