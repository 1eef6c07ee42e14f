// Rows into datasets that are contiguous in a file which is there already, by as many threads and processes as like:
// each block has its place. What is written is told to the log once it is on the disk. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/schema.hpp"
#include "formats/journal.hpp"
#include "formats/table.hpp"
#include "ipc/fd.hpp"

namespace headrace::formats {

/// When to make sure that what was written is on the disk: seldom enough for disks, often enough for who interrupts.
class CommitPace {
 public:
  CommitPace();
  bool is_due(std::uint64_t bytes) const;
  void done() { last_ = Clock::now(); }

 private:
  std::chrono::nanoseconds every_;
  Clock::time_point last_ = Clock::now();
};

class ContiguousFile {
 public:
  /// part: where the file is; offsets: of each table. tables, schema and log must outlive this.
  ContiguousFile(const std::string& part, const std::vector<Table>& tables, const Schema& schema,
                 std::vector<std::uint64_t> offsets, BlockLog& log);

  /// Rows [first, first + rows), whose fields are these. Error where they cannot be written, or do not fit their types.
  void write(std::uint64_t block, std::uint64_t first, std::size_t rows, std::span<const std::byte* const> fields)
      EXCLUDES(mutex_);
  /// All that was written is on the disk and in the log. Nobody writes meanwhile.
  void commit() EXCLUDES(mutex_);

 private:
  void note(const BlockEntry& entry, std::uint64_t bytes) EXCLUDES(mutex_);

  const std::string part_;
  const std::vector<Table>& tables_;
  const Schema& schema_;
  const std::vector<std::uint64_t> offsets_;
  ipc::Fd file_;
  Mutex mutex_;
  BlockLog& log_ GUARDED_BY(mutex_);
  std::vector<BlockEntry> pending_ GUARDED_BY(mutex_);
  std::uint64_t pending_bytes_ GUARDED_BY(mutex_) = 0;
  bool committing_ GUARDED_BY(mutex_) = false;
  CommitPace pace_ GUARDED_BY(mutex_);
};

/// Writes all of it there. Error that names the file.
void write_at(int file, const std::string& path, std::span<const std::byte> bytes, std::uint64_t offset);
/// The file's bytes are on the disk: error if not. They leave the system's memory, whose pages take what is written
/// next: fresh ones cost more than the copy (a virtual machine gets each from its host), and the node's memory is the
/// training's.
void sync_file(int file, const std::string& path);
void sync_file(const std::string& path);
/// The same for what its folder names.
void sync_folder_of(const std::string& path);

}  // namespace headrace::formats
