// What the two sides of a helper share. Not for other rooms.
#pragma once

#include <cstdint>
#include <string>

namespace headrace::ipc {

constexpr int helper_memory = 3;  ///< the helper's descriptor of the memory that both map

/// Of the text that stands behind these bytes.
std::uint64_t framed_length(const std::string& bytes);

}  // namespace headrace::ipc
