// How far a file that is being written is, so that the work goes on after any kill: beside FILE.part stands
//
//   FILE.part.json        what is being made: the facts that decide its bytes, and the rows of a block
//   FILE.part.blocks.R    of stager R: a line per block that is written, "NUMBER CRC", where its chunks went, and ";"
//
// A line is written after the block's bytes are on the disk, so that what it says holds even after a power cut; a line
// that was cut off is none. Each log is written by one stager only, by one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "ipc/fd.hpp"

namespace headrace::formats {

/// A file cannot be written: there is no room, say. What is there of it is worth keeping.
class WriteFailed : public Error {
 public:
  using Error::Error;
};

/// What decides the bytes of a file, by key. Keys that begin with '@' decide nothing: whoever reads the journal wants them.
using Facts = std::map<std::string, std::string>;

/// A chunk that was put into a file: where it is, and which filters were left out.
struct StoredChunk {
  std::uint64_t offset = 0, bytes = 0;
  std::uint32_t skipped = 0;
  bool operator==(const StoredChunk&) const = default;
};

struct BlockEntry {
  std::uint64_t block = 0;
  std::uint32_t crc = 0;  ///< of its rows, dataset by dataset, before compression
  std::vector<StoredChunk> chunks{};
  bool operator==(const BlockEntry&) const = default;
};

/// The file that a path is written as until it is whole.
std::string part_of(const std::string& path);

class BlockLog {
 public:
  /// Goes on with the log of this stager. WriteFailed where that cannot be.
  BlockLog(const std::string& part, std::uint32_t stager);
  void add(const BlockEntry& entry);
  /// Writes what was added. Error where that fails.
  void commit();
  std::size_t pending() const { return pending_; }

 private:
  std::string path_, text_;
  std::size_t pending_ = 0;
  ipc::Fd file_;
};

/// Error that names the first fact that differs, that is new or no more; none: there is nothing to go on with.
void require_same_facts(const std::string& part, const Facts& facts);
/// Whether there is something to go on with.
bool has_journal(const std::string& part);
void write_facts(const std::string& part, const Facts& facts);
/// None where there is no journal that can be read.
Facts read_facts(const std::string& part);
/// Of all stagers there ever were, by block.
std::map<std::uint64_t, BlockEntry> read_blocks(const std::string& part);
/// The part file itself stays.
void remove_journal(const std::string& part);
/// The journal goes where its file went; or only what is being made, not how far it is.
void move_journal(const std::string& part, const std::string& to);
void move_facts(const std::string& part, const std::string& to);

}  // namespace headrace::formats
