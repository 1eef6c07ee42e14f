// Whether files are still those that were examined. Any thread.
//
//   1. HDF5 files are read for hours and days while others may write to the folder: rows of another file under the same
//      name, or of the same one half rewritten, must not pass for data.
//   2. Size and time of modification are those that the catalog has, from whichever node looked: nodes agree on whole
//      seconds, and some file systems forget the fraction, so a difference of two seconds counts.
//   3. The inode is compared with what this process saw first, as copies on other nodes have others. Where it differs and
//      nothing else does, to the nanosecond and the first 64 KiB, the file system makes numbers up as it goes (FUSE).
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/mutex.hpp"
#include "catalog/catalog.hpp"

namespace headrace::reader {

class FileMarks {
 public:
  /// Of the file, or of one that is read through it: why it is not to be read any more, and what to do, as in "it
  /// is gone: No such file or directory; put back ..."; "" if nothing speaks against it.
  std::string change_of(const catalog::FileInfo& file) EXCLUDES(mutex_);
  /// Throws it, with the file's name.
  void require_unchanged(const catalog::FileInfo& file);

 private:
  struct Mark {
    std::uint64_t inode = 0;
    std::int64_t mtime_ns = 0;
  };
  std::string look(const std::string& path, std::uint64_t bytes, std::int64_t mtime_ns, std::uint64_t head)
      EXCLUDES(mutex_);

  Mutex mutex_;
  std::unordered_map<std::string, Mark> seen_ GUARDED_BY(mutex_);
};

}  // namespace headrace::reader
