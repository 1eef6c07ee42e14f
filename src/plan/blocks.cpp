#include "plan/blocks.hpp"

#include <algorithm>

#include "base/contract.hpp"
#include "plan/wide.hpp"

namespace headrace::plan {

namespace {

/// Blocks of a file that is as large as one.
std::uint64_t count_in_file(const FileRows& file, std::uint64_t least_bytes) {
  const auto row = std::max<std::uint64_t>(1, file.row_bytes);
  const auto least = std::max<std::uint64_t>(1, least_bytes / row + (least_bytes % row != 0));
  const auto rows = (least + file.align - 1) / file.align * file.align;  // of a block, at least
  return std::max<std::uint64_t>(1, file.samples / rows);
}

/// Inner borders of a file's blocks, from its first sample on.
void cut_file(const FileRows& file, std::uint64_t least_bytes, std::uint64_t begin, std::vector<std::uint64_t>& out) {
  const auto count = count_in_file(file, least_bytes);
  for (std::uint64_t i = 1; i < count; ++i) {
    const auto even = static_cast<std::uint64_t>(Unsigned128{file.samples} * i / count);
    out.push_back(begin + even / file.align * file.align);
  }
}

}  // namespace

Blocks cut_into_blocks(std::span<const FileRows> files, std::uint64_t least_bytes) {
  Blocks blocks{{0}};
  std::uint64_t sample = 0, bytes = 0;  // bytes: of small files since the last border
  const auto border = [&] {
    if (sample > blocks.first_sample.back()) blocks.first_sample.push_back(sample);
    bytes = 0;
  };
  for (const auto& file : files) {
    EXPECTS(file.align > 0);
    const auto of_file = Unsigned128{file.samples} * file.row_bytes;
    if (of_file >= least_bytes) {
      border();
      cut_file(file, least_bytes, sample, blocks.first_sample);
      sample += file.samples;
      border();
    } else {
      sample += file.samples;
      bytes += static_cast<std::uint64_t>(of_file);
      if (bytes >= least_bytes) border();
    }
  }
  border();
  return blocks;
}

std::uint64_t most_blocks_of(std::span<const FileRows> files, std::uint64_t least_bytes) {
  std::uint64_t blocks = 1, bytes = 0;  // bytes: of small files since the last border
  for (const auto& file : files) {
    const auto of_file = Unsigned128{file.samples} * file.row_bytes;
    if (of_file >= least_bytes) {
      blocks += count_in_file(file, least_bytes) + (bytes > 0);
      bytes = 0;
    } else if (bytes += static_cast<std::uint64_t>(of_file); bytes >= least_bytes) {
      ++blocks;
      bytes = 0;
    }
  }
  return blocks;
}

}  // namespace headrace::plan
