// Rows on their way from memory, one array per field, into a scratch file, where the fields of a row stand side by
// side. While one pane of rows is written the next may be loaded into another.
#pragma once

#include <cstdint>
#include <exception>
#include <span>
#include <thread>
#include <vector>

#include "store/scratch_readers.hpp"

namespace headrace::store {

/// Rows [first, first + count) of a scratch file, as they stand in memory.
struct PaneOfRows {
  std::uint64_t first = 0, count = 0;
  std::vector<const std::byte*> fields;  ///< first row of each
};

/// Several keep a fast disk busy; reading files has the cores otherwise.
constexpr unsigned writing_threads = 2;

/// Memory that write_rows() takes for a time.
std::uint64_t write_bytes(const Records& records, unsigned threads);

/// Writes them, with that many threads. first is a multiple of records.rows_a_piece(). Error where the disk fails.
void write_rows(const Scratch& to, const PaneOfRows& rows, unsigned threads);

/// Writes one pane at a time in a thread of its own. One thread calls.
class ScratchWriter {
 public:
  ScratchWriter(const Scratch& to, unsigned threads) : to_(to), threads_(threads) {}
  /// The memory of the rows is left alone until the next call of either function. Throws what the last pane brought.
  void write(PaneOfRows rows);
  /// All is written.
  void finish();

 private:
  void wait();

  const Scratch& to_;
  const unsigned threads_;
  std::exception_ptr failure_;  // of the thread, until it is joined
  std::jthread thread_;
};

}  // namespace headrace::store
