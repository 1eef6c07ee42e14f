// Small files, opened, read and closed with as few calls as there can be; those that follow each other in one folder from
// there, so that nobody walks the way to it for each. One object per thread at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "inventory/decoders/decoder.hpp"
#include "ipc/fd.hpp"

namespace headrace::inventory {

/// Bytes that stand before the values in most files of an inventory, and how many bytes of values follow.
struct Layout {
  std::string prefix;
  std::uint64_t bytes = 0;
};

class FileReader {
 public:
  /// The values of a file that is laid out so, to their place. False: it is otherwise, or cannot be read,
  /// which all() will explain.
  bool values(const std::string& path, const Layout& layout, std::byte* to);
  /// All that is in the file, until the next call of either. Throws Error.
  Content all(const std::string& path);
  /// Forgets the folder, which may be another one by its name next time.
  void leave_folder();

 private:
  int open_near(const std::string& path, int flags);

  std::string folder_path_;  // of the last file
  ipc::Fd folder_;           // opened with the second in a row
  std::vector<std::byte> content_;
  std::string head_;
};

}  // namespace headrace::inventory
