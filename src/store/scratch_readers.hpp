// Threads that bring rows from the scratch files of a node to where they are wanted. They do nothing but wait for the
// disk and copy: a disk gives its rate only where many reads wait for it at a time, and who asks waits for none.
//
//   read() --cut into reads of the disk--> queue --> thread: pread into its bounce buffer --> copied, field by field
//                                                    the last one of a call: came()
//
//   1. Rows that lie side by side, or nearly so, are one read, up to most_read; larger records are several.
//   2. came() runs once, in one of the threads, after the last byte is in its place; never inside read().
//   3. A read that fails is told once, by failed(); its rows never come.
//   4. After stop() nothing is read, nothing is written and nobody is called any more.
//
// read() from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.hpp"
#include "store/records.hpp"
#include "store/scratch_file.hpp"

namespace headrace::store {

/// The rows of one stager that are not in memory.
struct Scratch {
  ScratchFile file;
  Records records;
};

/// Rows that are wanted from one scratch file.
struct WantedRows {
  std::span<const std::uint32_t> rows;    ///< ascending
  std::uint32_t first_row = 0;            ///< number of the file's first one among them
  std::span<const std::uint32_t> places;  ///< where each goes; empty: one after another
  std::span<std::byte* const> fields;     ///< row 0 of each field
};

/// What was read so far.
struct DiskFigures {
  std::uint64_t reads = 0, bytes = 0;
};

class ScratchReaders {
 public:
  static constexpr std::uint64_t most_read = 256 << 10;
  /// Threads of one stager of so many on a node; memory that each takes.
  static unsigned threads_for(std::size_t stagers);
  static constexpr std::uint64_t bytes_a_thread = ScratchFile::room_for(most_read);

  ScratchReaders(const std::vector<Scratch>& files, unsigned threads, std::function<void(const std::string&)> failed);
  ~ScratchReaders() { stop(); }
  ScratchReaders(const ScratchReaders&) = delete;
  ScratchReaders& operator=(const ScratchReaders&) = delete;

  void read(std::size_t file, const WantedRows& wanted, std::function<void()> came) EXCLUDES(mutex_);
  void stop() EXCLUDES(mutex_);
  DiskFigures figures() const;

 private:
  /// A call of read().
  struct Call {
    const Scratch* from = nullptr;
    std::vector<std::uint32_t> rows, places;  // rows of the file
    std::vector<std::byte*> fields;
    std::function<void()> came;
    std::atomic<std::size_t> left = 0;  // reads
  };
  /// Bytes [begin, end) of the file, which hold (parts of) rows [first, last) of the call.
  struct Read {
    std::shared_ptr<Call> call;
    std::size_t first = 0, last = 0;
    std::uint64_t begin = 0, end = 0;
  };
  static std::vector<Read> cut(const std::shared_ptr<Call>& call);
  void work() EXCLUDES(mutex_);
  void run(const Read& read, std::span<std::byte> bounce);
  static void scatter(const Read& read, const std::byte* bytes);

  const std::vector<Scratch>& files_;
  const std::function<void(const std::string&)> failed_;
  const unsigned thread_count_;
  std::atomic<bool> told_ = false;
  std::atomic<std::uint64_t> reads_ = 0, bytes_ = 0;
  Mutex mutex_;
  Condition wake_;
  std::deque<Read> queue_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
};

}  // namespace headrace::store
