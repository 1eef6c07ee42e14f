// By what two copies of a file are told apart without reading them.
#pragma once

#include <cstdint>
#include <string>

namespace headrace::catalog {

struct FilePrint {
  std::uint64_t bytes = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t head = 0;  ///< checksum of the first 64 KiB
};

/// Throws Error where it cannot be read.
FilePrint print_of(const std::string& path);

}  // namespace headrace::catalog
