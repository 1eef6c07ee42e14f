// Files that a service writes in folders where others may write, too: it neither follows the links nor takes the FIFOs
// that somebody put there, and what it makes is its own. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ipc/fd.hpp"

namespace headrace::ipc {

/// The file that lines are appended to, made if it is not there. Error where it is no regular file (a FIFO would block
/// for ever, a device do what nobody meant), or where the way to it leads over another user's link. what: "log = PATH",
/// for messages.
Fd open_to_append(const std::string& path, const std::string& what);

/// Error unless the path can be replaced by a file: nothing is there, or a regular file; and its folder may be written.
void require_replaceable(const std::string& path, const std::string& what);

/// A file that is written whole or not at all: readers see the old one or the new one. Made beside it under a name that
/// nobody can know, and removed unless it is put in place.
class Draft {
 public:
  /// Error if it cannot be made.
  explicit Draft(std::string path);
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft();

  /// Error with the reason where that fails.
  void write(std::string_view text);
  /// What is written is on the disk.
  void sync();
  void put_in_place();

 private:
  std::string path_, name_;
  Fd file_;
};

/// The file by such a draft, which is on the disk when it has its name. Error that names it, the reason, and what to
/// do.
void write_whole(const std::string& path, std::string_view text);

/// The name of the file that the draft of this name was to become; nothing where it is no draft's. A process that is
/// killed leaves its draft, and nobody else takes that away.
std::optional<std::string> drafted(const std::string& name);

}  // namespace headrace::ipc
