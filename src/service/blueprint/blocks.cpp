#include "service/blueprint/blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"

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

/// f(dataset, rows of a chunk) for those whose chunks blocks end with.
template <class F>
void for_each_chunked(const catalog::Catalog& catalog, std::size_t file, std::uint64_t row_bytes, const F& f) {
  const auto all = std::max<std::uint64_t>(1, catalog.files[file].samples);
  for (const auto& dataset : catalog.datasets) {
    const auto& here = dataset.in_file[file];
    if (here.path.empty() || here.chunk.empty() || here.row_bytes() * least_part < row_bytes) continue;
    f(here, std::clamp<std::uint64_t>(here.chunk.front(), 1, all));
  }
}

plan::FileRows rows_of_file(const catalog::Catalog& catalog, std::size_t file, std::uint64_t least_bytes) {
  plan::FileRows rows{.samples = catalog.files[file].samples, .row_bytes = 0};
  for (const auto& dataset : catalog.datasets)
    if (const auto& here = dataset.in_file[file]; !here.path.empty()) rows.row_bytes += here.row_bytes();
  std::vector<std::uint64_t> chunks;
  const auto all = std::max<std::uint64_t>(1, rows.samples);
  for_each_chunked(catalog, file, rows.row_bytes,
                   [&](const h5::DatasetInfo&, std::uint64_t chunk) { chunks.push_back(chunk); });
  rows.align = alignment(chunks, std::min(all, least_bytes / std::max<std::uint64_t>(1, rows.row_bytes)));
  return rows;
}

std::vector<plan::FileRows> rows_of_files(const catalog::Catalog& catalog, std::uint64_t least_bytes) {
  std::vector<plan::FileRows> files;
  files.reserve(catalog.files.size());
  for (std::size_t file = 0; file < catalog.files.size(); ++file)
    files.push_back(rows_of_file(catalog, file, least_bytes));
  return files;
}

}  // namespace

plan::Blocks blocks_of(std::span<const plan::FileRows> files, std::uint64_t least_bytes) {
  constexpr std::uint64_t most = std::uint64_t{1} << 26;  // of which the tables of a stream take 5 GB in each stager
  if (const auto count = plan::most_blocks_of(files, least_bytes); count > most)
    throw UsageError(fmt::format("block = {}: the samples would be cut into some {} blocks, and {} are the most; take "
                                 "larger blocks (block)",
                                 least_bytes, count, most));
  return plan::cut_into_blocks(files, least_bytes);
}

plan::Blocks blocks_of(const catalog::Catalog& catalog, std::uint64_t least_bytes) {
  return blocks_of(rows_of_files(catalog, least_bytes), least_bytes);
}

std::string smaller_blocks(const catalog::Catalog& catalog, std::uint64_t least_bytes) {
  std::string name;
  std::uint64_t rows = 0, most = least_bytes;  // bytes of samples in the largest chunk
  for (std::size_t file = 0; file < catalog.files.size(); ++file) {
    const auto row_bytes = rows_of_file(catalog, file, least_bytes).row_bytes;
    for_each_chunked(catalog, file, row_bytes, [&](const h5::DatasetInfo& dataset, std::uint64_t chunk) {
      if (chunk * row_bytes <= most) return;
      most = chunk * row_bytes;
      rows = chunk;
      name = dataset.path;
    });
  }
  if (name.empty()) return "take smaller blocks (block)";
  return fmt::format("rechunk '{}' (h5repack --layout; blocks end with chunks, and its have {} rows, with which {} of "
                     "samples are read)",
                     name, rows, format_bytes(static_cast<double>(most)));
}

std::uint64_t most_blocks_of(const catalog::Catalog& catalog, std::uint64_t least_bytes) {
  return plan::most_blocks_of(rows_of_files(catalog, least_bytes), least_bytes);
}

}  // namespace headrace::service::blueprint
