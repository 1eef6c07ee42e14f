// A file opened beside HDF5, for pread by any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace headrace::reader {

class PlainFile {
 public:
  /// pass_by: what was read need not stay in the system's memory. Errors do not name the file.
  explicit PlainFile(const std::string& path, bool pass_by = false);
  ~PlainFile();
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;
  /// All of these bytes, or an error.
  void read(std::uint64_t offset, std::uint64_t bytes, std::byte* to) const;
  /// These will be read soon: the system may begin.
  void will_read(std::uint64_t offset, std::uint64_t bytes) const;
  /// The system need not keep any of it in memory.
  void forget() const;

 private:
  int fd_;
  bool pass_by_;
};

}  // namespace headrace::reader
