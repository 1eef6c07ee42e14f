// Chunks whose place in the file is known, from there to where their rows go: one job of a crew. Chunks that lie one
// after another are read at once, in the order of the file. A chunk of which several parts are wanted (all labels of a
// file may lie in one, and blocks of a window anywhere in it) is read and decoded once; of one that is stored as it is
// only those rows are read.
//
//   add() ... arrange()     put together by the thread that reads the files
//   run()                   by any, once
//
// It holds what it needs by value or shared: jobs may outlive the call that made them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "h5/chunks/chunk_index.hpp"
#include "reader/grid.hpp"
#include "reader/plain_file.hpp"
#include "reader/ways.hpp"

namespace headrace::reader {

using h5::chunks::StoredChunk;

class ChunkJob {
 public:
  ChunkJob(const Course& course, std::shared_ptr<const Grid> grid, std::shared_ptr<const PlainFile> file)
      : course_(course), grid_(std::move(grid)), file_(std::move(file)) {}

  /// Rows of one band, behind those of the last one, and all chunks of the band.
  void add(const Piece& part, std::span<const StoredChunk> chunks);
  /// Nothing more comes: finds what can be read at once.
  void arrange();
  /// Tells the system to read them.
  void will_read() const;
  std::uint64_t stored_bytes() const { return stored_bytes_; }
  std::uint64_t plain_bytes() const { return plain_bytes_; }

  /// Errors name dataset, file and rows.
  void run(Bench& bench) const;

 private:
  /// Rows [from, from + part.rows) of the chunks of a band. Parts of the same band have the same first chunk.
  struct Part {
    Piece piece;
    std::uint64_t from;
    std::size_t first_chunk;
    std::byte* place;  // where the rows may stand, or null
    bool raw;          // what is read is these rows, and no others
  };
  struct Chunk {
    StoredChunk stored;      // or a part of it
    std::byte* straight_to;  // or null: to the bench
    std::uint64_t at = 0;    // there
  };
  /// Of the file, in one go.
  struct Read {
    std::uint64_t offset, bytes;
    std::byte* to;
    std::uint64_t at;
  };

  void decode(const Chunk& chunk, Bench& bench, std::span<std::byte> plain) const;
  bool is_raw(std::span<const StoredChunk> chunks) const;
  void put(StoredChunk chunk, std::uint64_t plain_bytes, std::byte* straight_to);
  using Parts = std::span<const Part>;  // of one band
  void deliver(Parts parts, Bench& bench) const;
  void deliver_raw(const Part& part, const Bench& bench) const;
  void deliver_whole(Parts parts, Bench& bench) const;
  void deliver_scattered(Parts parts, Bench& bench) const;

  Course course_;
  std::shared_ptr<const Grid> grid_;
  std::shared_ptr<const PlainFile> file_;
  std::vector<Part> parts_;
  std::vector<Chunk> chunks_;
  std::vector<Read> reads_;
  std::uint64_t stored_bytes_ = 0, plain_bytes_ = 0, on_bench_ = 0;
};

}  // namespace headrace::reader
