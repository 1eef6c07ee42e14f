// Chunks whose place in the file is known, from there to where their rows go: one job of a crew. Chunks that lie one
// after another are read at once, in the order of the file.
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

  /// Rows of one band, which follow those of the last one, and all chunks of the band.
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
  /// Rows [from, from + part.rows) of the chunks of a band.
  struct Band {
    Piece part;
    std::uint64_t from;
    std::size_t first_chunk;
    std::byte* place;  // where the rows may stand, or null
    bool straight;     // the chunk as it is stored is the rows
  };
  struct Chunk {
    StoredChunk stored;
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
  void deliver(const Band& band, Bench& bench) const;
  void deliver_whole(const Band& band, Bench& bench) const;
  void deliver_parts(const Band& band, Bench& bench) const;

  Course course_;
  std::shared_ptr<const Grid> grid_;
  std::shared_ptr<const PlainFile> file_;
  std::vector<Band> bands_;
  std::vector<Chunk> chunks_;
  std::vector<Read> reads_;
  std::uint64_t stored_bytes_ = 0, plain_bytes_ = 0, on_bench_ = 0;
};

}  // namespace headrace::reader
