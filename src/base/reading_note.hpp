// What each thread reads right now, noted so that a crash can be told with the name of file and dataset: libraries that
// decode files may end the process on a damaged one, and then nothing but a signal handler can still speak.
//
//   1. A note points to names that outlive it; nothing is copied, unless the process shows what it reads on a board.
//   2. Notes nest, each thread has its own, and of_this_thread() is async-signal-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace headrace {

struct Reading {
  const char* file = nullptr;     ///< nullptr: nothing is being read
  const char* dataset = nullptr;  ///< nullptr: the file as a whole
};

/// What a process reads, in memory that another process maps: it can be seen there whatever becomes of the reader.
/// One thread writes; a watcher must take texts with care, as they may be half written.
struct ReadingBoard {
  std::atomic<std::uint64_t> steps;  ///< grows with each note and note_progress()
  std::array<char, 4096> file;       ///< cut where it is longer, NUL at its end
  std::array<char, 4096> dataset;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

class ReadingNote {
 public:
  static ReadingNote of_file(const std::string& file) { return {file.c_str(), nullptr}; }
  static ReadingNote of(const std::string& file, const std::string& dataset) { return {file.c_str(), dataset.c_str()}; }
  /// In the file of the note around this one.
  static ReadingNote of_dataset(const std::string& dataset) { return {of_this_thread().file, dataset.c_str()}; }
  static ReadingNote of_file(std::string&&) = delete;
  static ReadingNote of_dataset(std::string&&) = delete;
  ReadingNote(const ReadingNote&) = delete;
  ReadingNote& operator=(const ReadingNote&) = delete;
  ~ReadingNote();

  static Reading of_this_thread() noexcept;

 private:
  ReadingNote(const char* file, const char* dataset) noexcept;
  Reading before_;
};

/// One step more, of many small ones: who watches the board sees that work goes on.
void note_progress() noexcept;

/// From now on this process shows its notes there.
void show_reading_on(ReadingBoard* board) noexcept;

}  // namespace headrace
