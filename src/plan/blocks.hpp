// The blocks of the files: what is read at once where samples are shuffled in windows. Pure arithmetic; a plain value.
//
//   files    |   a   |      b      | c | d | e |     f      |
//   blocks   | 0 | 1 | 2 | 3  | 4  |     5     | 6 | 7 | 8  |
//
//   1. Each has at least as many bytes as is asked for, unless the next file is as large by itself, or it is the last.
//   2. Within a file they begin at multiples of its alignment (chunks). Files that are too small are put together whole.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace headrace::plan {

struct Blocks {
  std::vector<std::uint64_t> first_sample;  ///< of each, ascending; and the end. Empty: there are no windows

  bool empty() const { return first_sample.size() < 2; }
  std::uint64_t size() const { return empty() ? 0 : first_sample.size() - 1; }
};

/// A file, as far as blocks go.
struct FileRows {
  std::uint64_t samples = 0, row_bytes = 1;
  std::uint64_t align = 1;  ///< samples, at least 1
};

/// Blocks of at least so many bytes; of a file that has more, as equal as they can be.
Blocks cut_into_blocks(std::span<const FileRows> files, std::uint64_t least_bytes);

/// No more than that many, and hardly fewer: to know before they are cut.
std::uint64_t most_blocks_of(std::span<const FileRows> files, std::uint64_t least_bytes);

}  // namespace headrace::plan
