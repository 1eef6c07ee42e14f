#include "service/blueprint/blocks.hpp"

#include <algorithm>
#include <numeric>

namespace headrace::service::blueprint {

namespace {

/// Datasets with less than that part of a row's bytes carry none: labels, which lie in one chunk.
constexpr std::uint64_t least_part = 16;

/// The smallest run of samples that has whole chunks of all of them; else, where that is longer than `most`, the largest
/// chunk.
std::uint64_t alignment(const std::vector<std::uint64_t>& chunks, std::uint64_t most) {
  std::uint64_t largest = 1, together = 1;
  for (const auto chunk : chunks) {
    largest = std::max(largest, chunk);
    together = together <= most ? std::lcm(together, chunk) : together;
  }
  return together <= std::max(most, largest) ? together : largest;
}

plan::FileRows rows_of_file(const catalog::Catalog& catalog, std::size_t file, std::uint64_t least_bytes) {
  plan::FileRows rows{.samples = catalog.files[file].samples, .row_bytes = 0};
  for (const auto& dataset : catalog.datasets)
    if (const auto& here = dataset.in_file[file]; !here.path.empty()) rows.row_bytes += here.row_bytes();
  std::vector<std::uint64_t> chunks;
  const auto all = std::max<std::uint64_t>(1, rows.samples);
  for (const auto& dataset : catalog.datasets) {
    const auto& here = dataset.in_file[file];
    if (here.path.empty() || here.chunk.empty() || here.row_bytes() * least_part < rows.row_bytes) continue;
    chunks.push_back(std::clamp<std::uint64_t>(here.chunk.front(), 1, all));
  }
  rows.align = alignment(chunks, std::min(all, least_bytes / std::max<std::uint64_t>(1, rows.row_bytes)));
  return rows;
}

}  // namespace

plan::Blocks blocks_of(const catalog::Catalog& catalog, std::uint64_t least_bytes) {
  std::vector<plan::FileRows> files;
  files.reserve(catalog.files.size());
  for (std::size_t file = 0; file < catalog.files.size(); ++file)
    files.push_back(rows_of_file(catalog, file, least_bytes));
  return plan::cut_into_blocks(files, least_bytes);
}

}  // namespace headrace::service::blueprint
