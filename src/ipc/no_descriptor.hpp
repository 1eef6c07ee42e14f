// One error, and one message, for every call that found no descriptor.
#pragma once

#include <string>

#include "base/error.hpp"

namespace headrace::ipc {

/// No descriptor is left in this process, or in the system: a matter of time, or of limits.
class NoDescriptors : public Error {
 public:
  using Error::Error;
  std::string message;  ///< that was received all the same, but for its descriptors
};

/// For a failed call that makes a descriptor, by errno: NoDescriptors with the limit and what to do about it, else
/// Error.
[[noreturn]] void throw_no_descriptor(const std::string& call);

}  // namespace headrace::ipc
