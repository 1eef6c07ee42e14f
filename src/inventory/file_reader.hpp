// Small files, opened, read and closed with as few calls as there can be. One object per thread at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "inventory/decoders/decoder.hpp"

namespace headrace::inventory {

/// Bytes that stand before the values in most files of an inventory, and how many bytes of values follow.
struct Layout {
  std::string prefix;
  std::uint64_t bytes = 0;
};

class FileReader {
 public:
  /// The values of a file that is laid out so, straight to their place. False: it is otherwise, or cannot be read,
  /// which all() will explain.
  bool values(const std::string& path, const Layout& layout, std::byte* to);
  /// All that is in the file, until the next call. Throws Error.
  Content all(const std::string& path);

 private:
  std::vector<std::byte> content_;
  std::string head_;
};

}  // namespace headrace::inventory
