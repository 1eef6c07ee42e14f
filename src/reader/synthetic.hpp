// Made-up data for measuring: every row can be told from every other.
#pragma once

#include <cstdint>
#include <string>

#include "mpi/comm.hpp"

namespace headrace::reader {

/// Value of a column of a sample, in [0, 2^24): exact in float32; its low byte where rows are uint8.
constexpr std::uint32_t synthetic_value(std::uint64_t sample, std::uint64_t column) {
  std::uint64_t z = sample * 0x9e3779b97f4a7c15ull + column * 0xbf58476d1ce4e5b9ull;
  z ^= z >> 29;
  return static_cast<std::uint32_t>((z * 0x94d049bb133111ebull) >> 40);
}

/// Collective. Writes one contiguous dataset "data" of `rows` rows: float32 (rows, row_bytes / 4), or uint8 where
/// row_bytes is no multiple of 4. An existing file is replaced.
void write_synthetic(const mpi::Comm& comm, const std::string& path, std::uint64_t rows, std::uint64_t row_bytes);

}  // namespace headrace::reader
