// Reads a file that was written here again and compares the checksums of its blocks. Collective.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mpi/comm.hpp"

namespace headrace::commands::writing {

/// The checksum of texts, one after another.
std::uint32_t crc_of_text(std::string_view text, std::uint32_t before);

/// Error that names the first block that is not what was written, by dataset order and rows. quiet: nothing is said
/// where all is well.
void verify(const mpi::Comm& all, const std::string& path);

}  // namespace headrace::commands::writing
