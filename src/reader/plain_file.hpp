// A file opened beside HDF5, for pread by any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace headrace::reader {

/// What the system is told of the way in which a file is read.
struct ReadingHints {
  bool pass_by = false;    ///< what was read need not stay in memory
  bool scattered = false;  ///< parts that lie apart: nothing is read beyond what will_read() and read() name
};

class PlainFile {
 public:
  /// Errors do not name the file.
  explicit PlainFile(const std::string& path, ReadingHints hints = {});
  ~PlainFile();
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;
  /// All of these bytes, or an error.
  void read(std::uint64_t offset, std::uint64_t bytes, std::byte* to) const;
  /// These will be read soon: the system may begin.
  void will_read(std::uint64_t offset, std::uint64_t bytes) const;
  /// The system need not keep any of it in memory.
  void forget() const;
  const ReadingHints& hints() const { return hints_; }

 private:
  int fd_;
  ReadingHints hints_;
};

}  // namespace headrace::reader
