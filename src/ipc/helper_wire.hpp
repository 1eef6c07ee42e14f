// What the two sides of a helper share. Not for other rooms.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace headrace::ipc {

constexpr int helper_memory = 3;  ///< the helper's descriptor of the memory that both map

/// A text after its length. False where the other side is gone.
bool send_framed(int socket, std::string_view text);
/// The length before a text.
std::uint64_t framed_length(const std::string& bytes);

}  // namespace headrace::ipc
