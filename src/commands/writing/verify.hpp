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

/// What each of several files of one run tells, and, of the run alone, the file that joins them.
constexpr const char* run_attribute = "run";
constexpr const char* first_row_attribute = "first_row";

/// Whether the file is whole, of this run, and begins at this row; false where it cannot be read. One stager.
bool is_part(const std::string& path, const std::string& run, std::uint64_t first_row);

}  // namespace headrace::commands::writing
