// One message for every call that found no descriptor. Not for other rooms, which see NoDescriptors only.
#pragma once

#include <string>

#include "ipc/socket.hpp"

namespace headrace::ipc {

/// For a failed call that makes a descriptor, by errno: NoDescriptors with the limit and what to do about it, else Error.
[[noreturn]] void throw_no_descriptor(const std::string& call);

}  // namespace headrace::ipc
