// Rows as compressed chunks. Any number of threads encode blocks; one thread puts them into the file, in order, so that
// the same rows make the same file whoever encoded them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "formats/journal.hpp"
#include "formats/table.hpp"
#include "h5/codecs/encode.hpp"
#include "h5/made/create.hpp"

namespace headrace::formats {

/// A block ready for the file: its chunks table by table, in file order, and their bytes one after another.
struct EncodedBlock {
  BlockEntry entry;  ///< chunks with bytes and skipped; where they are is not known yet
  std::vector<std::byte> bytes;

  /// As a message between processes.
  std::vector<std::byte> pack() const;
  static EncodedBlock unpack(std::span<const std::byte> message);
};

/// Of each table, how its chunks are encoded; the tables' datasets learn their chunks and filters. block_rows and rows
/// of chunks are powers of two.
std::vector<h5::codecs::Encoding> chunk_tables(std::vector<Table>& tables, h5::codecs::Method method, int level,
                                               std::uint64_t chunk_bytes, std::uint64_t block_rows);

/// Rows [first, first + rows) of all tables, first a multiple of block_rows. Any thread.
EncodedBlock encode(std::uint64_t block, std::uint64_t first, std::size_t rows, const std::vector<Table>& tables,
                    std::span<const h5::codecs::Encoding> encodings, const Schema& schema,
                    std::span<const std::byte* const> fields);

/// Puts a block into its file, and tells where. The thread that owns HDF5.
BlockEntry put(h5::NewFile& file, const std::vector<Table>& tables, std::uint64_t first, std::size_t rows,
               const EncodedBlock& block);

}  // namespace headrace::formats
