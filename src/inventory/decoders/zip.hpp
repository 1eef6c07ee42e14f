// Members of a ZIP archive in memory, stored or deflated (with sizes of 64 bits, too), as .npz files are. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace headrace::inventory {

/// The content of a member, its checksum verified. Throws Error; a missing one lists those there.
std::vector<std::byte> zip_member(std::span<const std::byte> archive, const std::string& name);

}  // namespace headrace::inventory
